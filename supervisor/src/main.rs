//! `fumehood`, and, under another `argv[0]`, its worker.

use std::path::Path;

fn main() -> std::process::ExitCode {
    fumehood::main(Path::new("/etc/fumehood"))
}
