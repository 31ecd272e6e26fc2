//! Measures what a build feels of another that uses something up: its time beside each, over its time alone.
//!
//! `cargo run -p tests --bin limits`, after `cargo build -p tests --bins`. A measurement, no test: it prints one
//! line for each kind and asserts nothing about time.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use tests::{Sdist, Setting, Site, World};

/// What is used up, how far it would go, and the flags and lines of `[limits]` that stop it.
const KINDS: [(&str, u64, &[&str], &str); 9] = [
    ("forks", 300, &["--processes", "40"], ""),
    ("memory", 256 + 2048, &["--memory", "256M"], ""),
    ("disk", 200, &["--disk", "20M"], ""),
    ("unlinked", 200, &["--disk", "20M"], ""),
    ("inodes", 20_000, &[], "scratch_inodes = 500"),
    ("log", 64, &["--log-limit", "1M"], ""),
    ("open_files_held", 1000, &[], "open_files = 64"),
    ("processor", 0, &["--timeout", "20s"], ""),
    ("silence", 0, &["--idle-timeout", "3s"], ""),
];

/// Some seconds of work, as an ordinary build has them.
const WORK: &str =
    "def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    total = 0
    for number in range(20_000_000):
        total += number
    return wheel_file.write(wheel_directory, *project())";

fn main() -> std::io::Result<()> {
    let own = std::env::current_exe()?;
    let beside = own.parent().unwrap_or(Path::new("."));
    let path = |name: &str| beside.join(name).display().to_string();
    let site = Site::new(&path("fumehood-under-test"), &path("warden"), &path("tmp"));
    let mut out = std::io::stdout();
    for setting in Setting::all(&site) {
        let world = World::new(&site, setting);
        // The first one also finds the interpreter out.
        let _ = ordinary(&world, "first");
        let alone = ordinary(&world, "alone");
        writeln!(out, "{setting}: alone {:.2} s", alone.as_secs_f64())?;
        for (what, most, flags, policy) in KINDS {
            let sdist = Sdist::fixture("uses_up").targets(&json!({"what": what, "most": most}));
            let text = format!(
                "name = \"tight\"\nextends = \"strict\"\nsummary = \"tight\"\n[limits]\n{policy}\n"
            );
            let policy = world.file(format!("{what}.toml"), text);
            let hog = world
                .build(&sdist)
                .args(flags)
                .args(["--policy".as_ref(), policy.as_os_str()])
                .start();
            let took = ordinary(&world, &what.replace('_', "-"));
            let ended = hog.finish_anyhow();
            writeln!(
                out,
                "  beside {what:<16} {:>5.2} s, {:.2} times as long; that one exited {:?} after {:.2} s",
                took.as_secs_f64(),
                took.as_secs_f64() / alone.as_secs_f64(),
                ended.code,
                ended.took.as_secs_f64()
            )?;
        }
    }
    Ok(())
}

/// Builds an ordinary project and returns how long that took.
fn ordinary(world: &World<'_>, name: &str) -> Duration {
    let sdist = Sdist::hello(name, "1.0").hooks(WORK);
    let done = world.build(&sdist).out("beside").finish_anyhow();
    done.built(&sdist.wheel());
    done.took
}
