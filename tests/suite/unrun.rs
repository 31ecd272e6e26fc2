//! The last line of the suite: how many of its promises this host could not put to the test.

use std::io::Write;
use std::path::Path;

use tests::Unrun;

fn main() -> std::io::Result<()> {
    let notes = Unrun::of(Path::new(env!("CARGO_TARGET_TMPDIR"))).notes();
    let mut out = std::io::stdout();
    for note in &notes {
        out.write_all(note.as_bytes())?;
    }
    writeln!(out, "not run: {}", notes.len())
}
