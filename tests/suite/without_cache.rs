//! Runs without a cache: each place of the rule, and what lies in all of them before and after, also after a kill.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use model::Code;
use nix::sys::signal::Signal;
use tests::decoy::{State, changes, states};
use tests::{Outcome, Run, Running, Sdist, Setting, Venv, World, release, search};

use crate::scratches::{recorded, recorder};
use crate::{site, world};

/// What lies in all places of a world that a run may take but must leave as they were.
fn look(world: &World<'_>) -> BTreeMap<PathBuf, State> {
    ["k", "temp", "scratch", "home"]
        .iter()
        .flat_map(|name| states(&world.folder(name)))
        // A folder in which something came and went has another time.
        .filter(|(path, _)| !path.is_dir() || !world.is_place(path))
        .collect()
}

trait Places {
    fn is_place(&self, path: &Path) -> bool;
    fn temporary(&self) -> PathBuf;
}

impl Places for World<'_> {
    fn is_place(&self, path: &Path) -> bool {
        let names = ["k", "temp", "scratch", "home"];
        names.iter().any(|name| path == self.folder(name)) || path == self.cache()
    }

    fn temporary(&self) -> PathBuf {
        self.folder("temp")
    }
}

/// Waits until the build below a place waits, and returns its folder.
pub(crate) fn ready(running: &mut Running<'_, '_>, place: &Path) -> PathBuf {
    running.wait_until("the build was ready", |_| {
        let found = search::files(place);
        let ready = found.into_iter().find(|path| path.ends_with("ready"))?;
        ready.parent().map(Path::to_owned)
    })
}

/// One place of the rule: what names it, and where it is.
type Case = (
    &'static str,
    fn(&World<'_>) -> PathBuf,
    &'static [&'static str],
    bool,
);

/// The rule, place by place: arguments beside `--no-cache`, and whether the root exists.
const RULE: [Case; 4] = [
    (
        "scratch",
        |world| world.folder("scratch"),
        &["--scratch-dir", "../scratch"],
        true,
    ),
    ("root", |world| world.cache(), &[], true),
    (
        "strict",
        |world| world.temporary(),
        &["--no-cache-strict"],
        true,
    ),
    ("no root", |world| world.temporary(), &[], false),
];

fn without_cache<'a>(world: &'a World<'a>, sdist: &Sdist, arguments: &[&str]) -> Run<'a, 'a> {
    world
        .build(sdist)
        .args(["--no-cache"])
        .args(arguments)
        .env("TMPDIR", world.temporary())
}

#[test]
fn a_run_without_a_cache_takes_the_first_place_of_the_rule_and_leaves_all_as_it_was() {
    for setting in Setting::all(site()) {
        for (name, place, arguments, with_root) in RULE {
            let world = World::new(site(), setting);
            let first = Sdist::hello("first", "1.0");
            if with_root {
                world.build(&first).finish().built(&first.wheel());
            }
            let sdist = Sdist::waiting();
            let before = look(&world);
            let place = place(&world);
            // The other places stay empty while it works, and it works in this one.
            let mut running = without_cache(&world, &sdist, arguments).start();
            let folder = ready(&mut running, &place);
            assert!(folder.starts_with(&place), "{name}: {}", folder.display());
            let beside = look(&world);
            let new: Vec<_> = beside
                .keys()
                .filter(|path| !before.contains_key(*path))
                .collect();
            assert!(
                new.iter().all(|path| path.starts_with(&place)),
                "{name}: {new:?}"
            );
            let below: std::collections::BTreeSet<_> = new
                .iter()
                .filter_map(|path| path.strip_prefix(&place).ok()?.components().next())
                .collect();
            assert_eq!(
                below.len(),
                1,
                "{name}: one folder holds everything: {below:?}"
            );
            release(&folder, "{}");
            let done = running.finish();
            let wheel = done.built(&sdist.wheel());
            assert_eq!(wheel.record, None, "the record ended with the run: {done}");
            assert_eq!(
                changes(&before, &look(&world)),
                Vec::<String>::new(),
                "{name}: {done}"
            );
        }
    }
}

#[test]
fn the_last_places_of_the_rule_are_the_systems_own_directories() {
    // Where builds see real paths, they tell where they are.
    let world = World::new(site(), Setting::DENIED);
    let sdist = recorder();
    let own = world.folder("");
    let read_only = format!(
        "mount --bind /tmp /tmp && mount -o remount,bind,ro /tmp && mount --bind {own} {own} && \
         mount -o remount,bind,rw {own} || exit 71; exec \"$@\"",
        own = own.display()
    );
    for (place, mounts) in [("/tmp", "exec \"$@\""), ("/var/tmp", &read_only)] {
        let done = world
            .build(&sdist)
            .args(["--no-cache", "--no-cache-strict"])
            .in_own_mounts(mounts)
            .finish();
        assert_ne!(done.code, Some(71), "the mount could not be made: {done}");
        done.built(&sdist.wheel());
        let seen = PathBuf::from(recorded(&world, "cwd"));
        let root = seen
            .ancestors()
            .find(|path| path.parent() == Some(Path::new(place)));
        let root = root.unwrap_or_else(|| panic!("{} is not in {place}", seen.display()));
        assert!(!root.exists(), "{} stayed", root.display());
    }
    assert!(!world.cache().exists());
}

#[test]
fn what_a_kill_left_is_gone_after_the_next_run_that_takes_the_place() {
    for setting in Setting::all(site()) {
        for (name, place, arguments, with_root) in RULE {
            let world = World::new(site(), setting);
            let first = Sdist::hello("first", "1.0");
            if with_root {
                world.build(&first).finish().built(&first.wheel());
            }
            let before = look(&world);
            let place = place(&world);
            let mut running = without_cache(&world, &Sdist::waiting(), arguments)
                .grace(std::time::Duration::from_secs(10))
                .start();
            ready(&mut running, &place);
            running.signal(Signal::SIGKILL);
            let done = running.finish_anyhow();
            assert!(done.left.is_empty(), "{name}: {:?}", done.left);
            assert_ne!(
                changes(&before, &look(&world)),
                Vec::<String>::new(),
                "{name}: a kill leaves something"
            );
            let next = Sdist::hello("next", "1.0");
            without_cache(&world, &next, arguments)
                .finish()
                .built(&next.wheel());
            assert_eq!(
                changes(&before, &look(&world)),
                Vec::<String>::new(),
                "{name}: {done}"
            );
        }
    }
}

/// Names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder").flatten();
    let mut names: Vec<_> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// The place of the rule that comes before the root's: what is installed into.
#[test]
fn an_installation_without_a_cache_works_where_it_installs_and_leaves_no_trace_there() {
    for setting in [Setting::PLAIN, Setting::DENIED] {
        for into_target in [false, true] {
            let about = format!("{setting}, target: {into_target}");
            let world = World::new(site(), setting);
            let (first, next) = (Sdist::hello("first", "1.0"), Sdist::hello("next", "1.0"));
            let waiting = Sdist::waiting();
            world.index.sdist(&first).sdist(&next).sdist(&waiting);
            // The root exists, and would serve.
            world.wheel("first").finish().built(&first.wheel());
            let venv = Venv::new(&world, "env");
            let place = match into_target {
                true => world.folder("target"),
                false => venv.root.clone(),
            };
            let install = |name: &str| {
                let run = venv.install([name, "--no-cache"]);
                let run = run.env("TMPDIR", world.temporary());
                match into_target {
                    true => run.flag("--target", &place),
                    false => run,
                }
            };
            world.temporary();
            let (before, empty) = (look(&world), names(&place));
            let works_in_place = |running: &mut Running<'_, '_>| {
                let folder = ready(running, &place);
                let inside = folder.strip_prefix(&place).expect("it works there");
                let top = inside.components().next().expect("in a folder of its own");
                let root = place.join(top);
                assert!(
                    root.join("sources-v1").is_dir(),
                    "{about}: everything is there"
                );
                assert_eq!(
                    changes(&before, &look(&world)),
                    Vec::<String>::new(),
                    "{about}"
                );
                (folder, root)
            };

            let mut killed = install("waits")
                .grace(std::time::Duration::from_secs(10))
                .start();
            let (_, root) = works_in_place(&mut killed);
            killed.signal(Signal::SIGKILL);
            let done = killed.finish_anyhow();
            assert!(root.exists(), "{about}: a kill leaves something: {done}");
            install("next").finish().succeeds();
            assert!(!root.exists(), "{about}: the next run takes it away");
            let mut installed = names(&place);
            installed.retain(|name| !name.starts_with("next"));
            assert_eq!(installed, empty, "{about}");

            let mut running = install("waits").start();
            let (folder, _) = works_in_place(&mut running);
            release(&folder, "{}");
            let done = running.finish();
            done.succeeds();
            let mut installed = names(&place);
            let new = ["next", "waits", "spoils.json"];
            installed.retain(|name| !new.iter().any(|it| name.starts_with(it)));
            assert_eq!(installed, empty, "{about}: {done}");
            assert_eq!(
                changes(&before, &look(&world)),
                Vec::<String>::new(),
                "{about}"
            );
        }
    }
}

#[test]
fn an_interrupted_run_without_a_cache_leaves_nothing() {
    for setting in Setting::all(site()) {
        for signal in [Signal::SIGINT, Signal::SIGTERM] {
            let world = World::new(site(), setting);
            let before = look(&world);
            let mut running = without_cache(&world, &Sdist::waiting(), &[]).start();
            ready(&mut running, &world.temporary());
            running.signal(signal);
            let done = running.finish();
            assert_eq!(done.code, Some(Code::Interrupted.exit() as i32), "{done}");
            assert_eq!(
                changes(&before, &look(&world)),
                Vec::<String>::new(),
                "{done}"
            );
        }
    }
}

#[test]
fn a_kill_in_an_empty_root_does_not_make_it_a_strangers() {
    let world = world();
    std::fs::create_dir(world.cache()).expect("an own folder");
    let mut running = without_cache(&world, &Sdist::waiting(), &[])
        .grace(std::time::Duration::from_secs(10))
        .start();
    ready(&mut running, &world.cache());
    running.signal(Signal::SIGKILL);
    let _ = running.finish_anyhow();
    assert!(!world.scratches().is_empty());
    // The same directory serves as a cache afterwards, and is swept.
    let next = Sdist::hello("next", "1.0");
    world.build(&next).finish().built(&next.wheel());
}

#[test]
fn a_run_without_a_cache_neither_reads_nor_writes_one() {
    let world = world();
    let sdist = Sdist::hello("hello", "1.0");
    world.build(&sdist).finish().built(&sdist.wheel());
    let before = states(&world.cache());
    let again = without_cache(&world, &sdist, &[]).finish();
    again.built(&sdist.wheel());
    let buckets = |found: BTreeMap<PathBuf, State>| -> BTreeMap<PathBuf, State> {
        found
            .into_iter()
            .filter(|(path, _)| *path != world.cache())
            .collect()
    };
    assert_eq!(
        changes(&buckets(before), &buckets(states(&world.cache()))),
        Vec::<String>::new()
    );
    world.build(&sdist).finish().cached(&sdist.wheel());
}

#[test]
fn the_place_of_a_run_without_a_cache_is_told_and_nothing_is_made() {
    let world = world();
    let ask = |arguments: &[&str]| -> Outcome<'_, '_> {
        world
            .run(["cache", "dir", "--no-cache", "--cache-dir"])
            .args([world.cache()])
            .args(arguments)
            .env("TMPDIR", world.temporary())
            .finish()
    };
    world.temporary();
    let before = states(&world.folder(""));
    let told = |done: &Outcome<'_, '_>| PathBuf::from(done.stdout.trim());
    assert_eq!(told(&ask(&[])), world.temporary());
    let strict = ask(&["--no-cache-strict"]);
    assert_eq!(told(&strict), world.temporary());
    assert!(strict.stderr.contains("TMPDIR"), "{strict}");
    assert_eq!(
        changes(&before, &states(&world.folder(""))),
        Vec::<String>::new()
    );
    std::fs::create_dir(world.cache()).expect("an own folder");
    let root = ask(&[]);
    assert_eq!(told(&root), world.cache());
    assert!(root.stderr.contains("--cache-dir"), "{root}");
    world.folder("scratch");
    assert_eq!(
        told(&ask(&["--scratch-dir", "../scratch"])),
        world.folder("scratch")
    );
    assert_eq!(
        std::fs::read_dir(world.cache()).expect("a folder").count(),
        0
    );
}

#[test]
fn neither_working_directory_nor_output_directory_is_ever_the_place() {
    let world = world();
    let work = world.folder("work");
    // TMPDIR names the working directory: the next of the system's directories is taken.
    let done = world
        .run(["cache", "dir", "--no-cache", "--no-cache-strict"])
        .env("TMPDIR", &work)
        .finish();
    done.succeeds();
    assert_ne!(PathBuf::from(done.stdout.trim()), work, "{done}");
    let sdist = Sdist::hello("hello", "1.0");
    let refused = world.build(&sdist).args(["--scratch-dir", "."]).finish();
    refused.fails_with(Code::CachePlace);
    world.folder("work/out");
    let refused = world.build(&sdist).args(["--scratch-dir", "out"]).finish();
    refused.fails_with(Code::CachePlace);
}

#[test]
fn without_a_home_a_run_needs_no_cache() {
    let world = world();
    let sdist = Sdist::hello("hello", "1.0");
    let cache = world.cache();
    let done = world
        .build(&sdist)
        .without(&["--cache-dir", cache.to_str().expect("text")])
        .args(["-n"])
        .env("HOME", "")
        .env("TMPDIR", world.temporary())
        .finish();
    done.built(&sdist.wheel());
    assert!(!cache.exists());
}

#[test]
fn a_kept_scratch_and_a_run_that_leaves_nothing_contradict_each_other() {
    let world = world();
    let before = look(&world);
    let done = without_cache(&world, &Sdist::hello("hello", "1.0"), &["--keep-scratch"]).finish();
    done.fails_with(Code::BadFlag);
    assert_eq!(changes(&before, &look(&world)), Vec::<String>::new());
}
