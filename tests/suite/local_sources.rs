//! Local folders and archives as sources: what is given twice is read once.

use std::path::Path;

use tests::trace;
use tests::{Sdist, World, search};

use crate::world;

/// A project with one file that nobody opens but who takes the source.
fn project(world: &World<'_>) -> (Sdist, std::path::PathBuf) {
    let sdist = Sdist::hello("hello", "1.0").file("data.bin", "x".repeat(1 << 20));
    let folder = world.lay("hello", &sdist);
    (sdist, folder)
}

/// Makes a wheel of each spec under a trace, and returns how often `file` was opened.
fn opened(specs: &[String], file: &Path, world: &World<'static>) -> usize {
    let log = world.folder("work").join("calls");
    let done = world.wheels(specs).traced(&log, "openat,open").finish();
    done.succeeds();
    assert_eq!(done.report().wheels.len(), specs.len(), "{done}");
    let calls = trace::calls(&log);
    let opened = calls.iter().filter_map(trace::Call::returned);
    opened.filter(|path| path == file).count()
}

#[test]
fn a_folder_or_archive_that_is_given_twice_in_one_call_is_read_as_often_as_one() {
    for as_folder in [true, false] {
        let place = |world: &World<'static>| {
            let (sdist, folder) = project(world);
            if as_folder {
                (folder.clone(), folder.join("data.bin"))
            } else {
                let archive = world.archive(&sdist);
                (archive.clone(), archive)
            }
        };
        let alone = world();
        let (path, file) = place(&alone);
        let once = opened(&[path.display().to_string()], &file, &alone);
        assert!(once > 0, "the trace shows it");
        let world = world();
        let (path, file) = place(&world);
        let specs = [
            path.display().to_string(),
            format!("hello @ file://{}", path.display()),
            format!("file://{}", path.display()),
        ];
        assert_eq!(opened(&specs, &file, &world), once, "a folder: {as_folder}");
    }
}

#[test]
fn two_processes_at_once_put_one_folder_into_the_cache_once() {
    let world = world();
    let (_, folder) = project(&world);
    // Large enough that both would be at it at the same time.
    for at in 0..32 {
        world.file(folder.join(format!("data/{at}.bin")), vec![at; 4 << 20]);
    }
    let logs = ["one", "two"].map(|name| world.folder("work").join(name));
    let running = logs.clone().map(|log| {
        let name = format!("out-{}", log.file_name().unwrap_or_default().display());
        let run = world.wheel(&folder).out(&name);
        run.traced(&log, "rename,renameat,renameat2").start()
    });
    for one in running {
        one.finish_anyhow().succeeds();
    }
    let bucket = world.cache().join("sources-v1");
    let published = logs
        .iter()
        .flat_map(|log| trace::calls(log))
        .filter(|call| {
            let paths = call.paths(Path::new("/"));
            paths.last().is_some_and(|to| to.starts_with(&bucket))
        });
    assert_eq!(published.count(), 1);
    assert_eq!(search::files(&bucket).len(), 1);
}
