//! A process that is killed in the middle leaves what the next one sweeps.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use cache::Cache;

use crate::support::World;

/// Names the root to the process that is going to be killed; unset in every other run.
const ROOT: &str = "FUMEHOOD_TEST_KILLED_ROOT";

/// Not a test of its own: what the killed process does.
#[test]
fn the_process_that_is_killed() {
    let Some(root) = std::env::var_os(ROOT) else {
        return;
    };
    let cache = Cache::open(Path::new(&root)).unwrap();
    let scratch = cache.scratch().unwrap();
    std::fs::write(scratch.room('w').unwrap().join("file"), b"x").unwrap();
    let mut file = cache.staging_file().unwrap();
    file.write_all(b"half").unwrap();
    let dir = cache.staging_dir().unwrap();
    std::fs::write(dir.path().join("file"), b"x").unwrap();
    let _lock = cache
        .lock("held", "held", std::time::Duration::ZERO, &mut || ())
        .unwrap();
    let mut out = std::io::stdout();
    writeln!(out, "\nready").unwrap();
    out.flush().unwrap();
    // Waits for the kill; if the parent dies first, the pipe ends.
    let _ = std::io::stdin().read(&mut [0; 1]);
}

#[test]
fn kill_minus_nine_leaves_nothing_after_the_next_sweep() {
    let world = World::new();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "killed::the_process_that_is_killed",
            "--nocapture",
        ])
        .env(ROOT, world.root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    assert!(out.lines().any(|line| line.unwrap() == "ready"));
    assert_eq!((world.strangers().len(), world.staged().len()), (1, 2));
    let swept = world.cache.sweep().unwrap();
    assert_eq!(
        (swept.scratches, swept.in_use, swept.staging),
        (0, 1, 0),
        "{swept:?}"
    );
    let held = world
        .cache
        .lock("held", "held", std::time::Duration::ZERO, &mut || ());
    assert!(held.is_err(), "the child does not hold its lock");

    child.kill().unwrap();
    child.wait().unwrap();
    let swept = world.cache.sweep().unwrap();
    assert_eq!((swept.scratches, swept.staging), (1, 2), "{swept:?}");
    assert!(world.strangers().is_empty() && world.staged().is_empty());
    drop(
        world
            .cache
            .lock("held", "held", std::time::Duration::ZERO, &mut || ())
            .unwrap(),
    );
}
