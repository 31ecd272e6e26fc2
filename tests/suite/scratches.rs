//! Scratches: where they are made, what a build sees of them, and what can not be reached from them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use nix::sys::signal::Signal;
use tests::{Sdist, Setting, Wheel, World, release, search};

use crate::site;
use crate::without_cache::ready;

/// A build that writes down where it works.
fn recorder() -> Sdist {
    Sdist::hello("recorder", "1.0").hooks(
        "def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):\n    \
         where = {'cwd': os.getcwd(), 'tmp': os.environ['TMPDIR'], 'out': wheel_directory}\n    \
         return wheel_file.write(wheel_directory, *project(), files={'where.json': json.dumps(where).encode()})",
    )
}

fn recorded(world: &World<'_>, name: &str) -> String {
    let text = search::member(&world.out().join(recorder().wheel()), "where.json");
    let answers: BTreeMap<String, String> = serde_json::from_slice(&text).expect("JSON");
    answers[name].clone()
}

#[test]
fn scratches_lie_where_they_are_told_to() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let sdist = Sdist::waiting();
        let scratch = world.folder("scratch");
        let start = || {
            world
                .build(&sdist)
                .flag("--scratch-dir", &scratch)
                .grace(Duration::from_secs(10))
                .start()
        };
        let mut killed = start();
        ready(&mut killed, &scratch);
        assert_eq!(world.scratches(), Vec::<PathBuf>::new());
        killed.signal(Signal::SIGKILL);
        let _ = killed.finish_anyhow();
        let left = std::fs::read_dir(&scratch).expect("a folder").count();
        assert!(left > 0, "a kill leaves something");
        // What is not ours stays, whatever it is called.
        let mine = world.file("scratch/abcdef/precious", "as it was\n");
        world
            .build(&Sdist::hello("next", "1.0"))
            .flag("--scratch-dir", &scratch)
            .finish()
            .succeeds();
        assert_eq!(search::files(&scratch), [mine]);
    }
}

#[test]
fn a_build_sees_at_most_twelve_characters_beyond_the_root_and_a_constant_at_ns() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let sdist = recorder().file(&"n".repeat(255), "a name of 255 bytes\n");
        world.build(&sdist).finish().built(&sdist.wheel());
        let seen = ["cwd", "tmp", "out"].map(|name| recorded(&world, name));
        if setting.level().word() == "ns" {
            assert_eq!(seen, ["/b/s", "/b/t", "/b/o/d"], "{setting}");
        } else {
            let root = world.cache().display().to_string();
            for path in seen {
                let beyond = path.strip_prefix(&root).expect("it lies in the root");
                assert!(beyond.len() <= 12, "{setting}: {beyond}");
            }
        }
    }
}

#[test]
fn no_file_of_the_cache_can_be_reached_from_a_scratch_by_a_hard_link() {
    use std::os::unix::fs::MetadataExt as _;
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        world.index.wheel(&Wheel::new("base", "1.0"));
        let sdist = Sdist::waiting().requires(&["base"]);
        let mut running = world.build(&sdist).start();
        let folder = running.wait_until_ready();
        let scratch = world.scratches().remove(0);
        let inodes = |files: Vec<PathBuf>| -> std::collections::BTreeSet<(u64, u64)> {
            files
                .iter()
                .filter_map(|path| path.symlink_metadata().ok())
                .filter(|data| data.is_file())
                .map(|data| (data.dev(), data.ino()))
                .collect()
        };
        let within = inodes(search::files(&scratch));
        let kept = search::files(&world.cache())
            .into_iter()
            .filter(|path| !path.starts_with(&scratch))
            .collect();
        let kept = inodes(kept);
        assert!(within.len() > 5 && kept.len() > 5, "{within:?} {kept:?}");
        assert!(within.is_disjoint(&kept), "{setting}");
        release(&folder, "{}");
        running.finish().built(&sdist.wheel());
    }
}
