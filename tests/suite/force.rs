//! `--force`: what others hold is neither waited for nor spared, and nothing wrong comes of it.

use model::Code;
use nix::sys::signal::Signal;
use tests::{Sdist, Setting, Wheel, World, release, search};

use crate::concurrency::{hung_while_installing, shelved, waiting};
use crate::{site, world};

/// A project that is content with a module of its own where its build requirement is missing.
fn content(world: &World<'_>) -> Sdist {
    world.index.wheel(&Wheel::new("tool", "1.0"));
    waiting().requires(&["tool"]).hooks(
        "def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):\n    \
         files = spoils()\n    \
         try:\n        import tool\n    \
         except ImportError:\n        \
         print('makes do without tool', flush=True)\n        files['fallback.py'] = b''\n    \
         return wheel_file.write(wheel_directory, *project(), files=files)",
    )
}

#[test]
fn a_build_that_loses_its_environment_to_a_forced_removal_fails_though_it_would_make_do() {
    for setting in Setting::all(site()) {
        for words in [&["clean", "--environments"][..], &["prune", "--ci"]] {
            let world = World::new(site(), setting);
            let sdist = content(&world);
            let cache = |flags: &[&str]| {
                let run = world.run(["cache"]).args(words).args(flags);
                run.args(["--cache-dir".as_ref(), world.cache().as_os_str()])
                    .finish_anyhow()
            };
            let mut running = world.build(&sdist).start();
            let folder = running.wait_until_ready();
            let done = cache(&[]);
            assert!(
                done.succeeds().stderr.contains("in use and stays"),
                "{done}"
            );
            let done = cache(&["--force", "--dry-run"]);
            assert!(!done.succeeds().stderr.contains("in use"), "{done}");
            let done = cache(&["--force"]);
            let gone = done.succeeds().stderr.contains("was in use and is gone");
            assert!(gone, "{done}");
            let left = search::files(&world.cache().join("environments-v1"));
            assert!(left.is_empty(), "{left:?} {done}");
            assert!(folder.exists(), "the scratch goes with its build: {done}");
            release(&folder, "{}");
            let done = running.finish();
            let failure = done.fails_with(Code::Removed);
            let hint = failure.hint.unwrap_or_default();
            assert!(hint.contains("--force"), "{done}");
            let logs = world.cache().join("logs-v1");
            let deed = search::find(&logs, b"makes do without tool");
            assert!(deed.is_some(), "it would have made do: {done}");
            assert!(shelved(&world).is_empty(), "{done}");

            let mut running = world.build(&sdist).start();
            let folder = running.wait_until_ready();
            release(&folder, "{}");
            running.finish().built(&sdist.wheel());
            assert!(search::find(&world.out(), b"fallback").is_none());
        }
    }
}

#[test]
fn a_forced_cleaning_takes_everything_that_is_kept_and_the_next_run_makes_it_again() {
    let world = world();
    let sdist = content(&world);
    let mut running = world.build(&sdist).start();
    let folder = running.wait_until_ready();
    let run = world.run(["cache", "clean", "--force", "--output-format", "json"]);
    let done = run
        .args(["--cache-dir".as_ref(), world.cache().as_os_str()])
        .finish_anyhow();
    let answer: serde_json::Value =
        serde_json::from_str(&done.succeeds().stdout).expect("the answer is JSON");
    let forced = answer["forced"].as_array().expect("a list");
    assert!(!forced.is_empty(), "{done}");
    // The lock of the build is no entry: another run would take it and build beside this one.
    let stays = answer["in_use"].as_array().expect("a list");
    assert!(!stays.is_empty(), "{done}");
    release(&folder, "{}");
    running.finish().fails_with(Code::Removed);
    let mut running = world.build(&sdist).start();
    let folder = running.wait_until_ready();
    release(&folder, "{}");
    running.finish().built(&sdist.wheel());
}

#[test]
fn a_build_that_hangs_is_not_waited_for_and_the_one_that_comes_second_takes_the_others_wheel() {
    let world = world();
    // Two builds of it never make the same bytes.
    let sdist = waiting().hooks(
        "def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):\n    \
         files = spoils()\n    files['unique.bin'] = os.urandom(16)\n    \
         return wheel_file.write(wheel_directory, *project(), files=files)",
    );
    let mut first = world.build(&sdist).start();
    let held = first.wait_until_ready();
    first.signal(Signal::SIGSTOP);
    let mut second = world.build(&sdist).args(["--force"]).out("second").start();
    let folder = second.wait_until_ready_beside(std::slice::from_ref(&held));
    release(&folder, "{}");
    let done = second.finish_anyhow();
    let built = done.built(&sdist.wheel());
    assert!(done.stderr.contains("is not waited for"), "{done}");
    first.signal(Signal::SIGCONT);
    release(&held, "{}");
    let done = first.finish();
    let taken = done.cached(&sdist.wheel());
    assert_eq!(taken.sha256, built.sha256, "one key, one wheel: {done}");
    assert_eq!(shelved(&world).len(), 1, "{done}");
}

#[test]
fn an_environment_that_hangs_is_made_beside_and_both_runs_share_it() {
    let world = world();
    let (sdist, first) = hung_while_installing(&world);
    let run = world.build(&sdist).args(["--force"]).out("second");
    let done = run.finish_anyhow();
    done.built(&sdist.wheel());
    assert!(done.stderr.contains("is not waited for"), "{done}");
    first.signal(Signal::SIGCONT);
    // The wheel is made from then on, so that this one need not build.
    first.finish().cached(&sdist.wheel());
    let environments = std::fs::read_dir(world.cache().join("environments-v1"));
    assert_eq!(environments.expect("environments").count(), 1);
}

#[test]
fn what_is_asked_for_twice_in_one_call_is_made_once_also_by_force() {
    let world = world();
    let sdist = Sdist::hello("thing", "1.0");
    world.index.sdist(&sdist);
    let done = world
        .wheels(["thing", "thing==1.0", "thing>=1"])
        .args(["--force", "-j", "3"])
        .finish();
    done.succeeds();
    let wheels = done.report().wheels;
    let built = wheels.iter().filter(|wheel| wheel.origin == "built");
    assert_eq!(built.count(), 1, "{done}");
    assert!(!done.stderr.contains("another process"), "{done}");
}

#[test]
fn a_wheel_that_is_removed_or_changed_before_it_is_delivered_is_named_and_not_delivered() {
    let kept = Sdist::hello("kept", "1.0");
    let other = Sdist::waiting();
    for (code, changes) in [(Code::Removed, false), (Code::HashMismatch, true)] {
        let world = world();
        let specs = [world.archive(&kept), world.archive(&other)];
        let mut running = world.wheels(specs).args(["-j", "2"]).start();
        let folder = running.wait_until_ready();
        let shelf = running.wait_until("the first was kept", |_| shelved(&world).pop());
        if changes {
            let mut bytes = std::fs::read(&shelf).expect("it is there");
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            std::fs::write(&shelf, bytes).expect("an own file");
        } else {
            let run = world.run(["cache", "clean", "kept", "--force", "--cache-dir"]);
            run.args([world.cache()]).finish_anyhow().succeeds();
            assert!(!shelf.exists());
        }
        release(&folder, "{}");
        let done = running.finish();
        done.exits_with(code);
        let report = done.report();
        let failure = &report.failures[0];
        assert!(failure.message.contains("kept-1.0"), "{done}");
        assert!(failure.hint.is_some(), "{done}");
        assert_eq!(world.delivered(), [other.wheel()], "{done}");
    }
}
