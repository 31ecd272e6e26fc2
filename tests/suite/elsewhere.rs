//! Runs without a cache, scratches on another mount, caches that are only read: each place of the contract, what is
//! there before and after, and places that can not serve.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use model::Code;
use nix::sys::signal::Signal;
use serde_json::json;
use tests::decoy::{State, changes, states};
use tests::{Outcome, Run, Running, Sdist, Setting, Wheel, World, release, search};

use crate::{site, world};

/// A build that waits until the test lets it go on.
fn waiting() -> Sdist {
    Sdist::fixture("waits").targets(&json!({}))
}

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
fn ready(running: &mut Running<'_, '_>, place: &Path) -> PathBuf {
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

fn without_cache<'a>(world: &'a World<'a>, archive: &Path, arguments: &[&str]) -> Run<'a, 'a> {
    world
        .wheel(archive)
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
            let sdist = waiting();
            let archive = world.archive(&sdist);
            let before = look(&world);
            let place = place(&world);
            // The other places stay empty while it works, and it works in this one.
            let mut running = without_cache(&world, &archive, arguments).start();
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
fn what_a_kill_left_is_gone_after_the_next_run_that_takes_the_place() {
    for setting in Setting::all(site()) {
        for (name, place, arguments, with_root) in RULE {
            let world = World::new(site(), setting);
            let first = Sdist::hello("first", "1.0");
            if with_root {
                world.build(&first).finish().built(&first.wheel());
            }
            let archive = world.archive(&waiting());
            let before = look(&world);
            let place = place(&world);
            let mut running = without_cache(&world, &archive, arguments)
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
            let archive = world.archive(&next);
            without_cache(&world, &archive, arguments)
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

#[test]
fn a_kill_in_an_empty_root_does_not_make_it_a_strangers() {
    let world = world();
    std::fs::create_dir(world.cache()).expect("an own folder");
    let archive = world.archive(&waiting());
    let mut running = without_cache(&world, &archive, &[])
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
    let archive = world.archive(&sdist);
    world.wheel(&archive).finish().built(&sdist.wheel());
    let before = states(&world.cache());
    let again = without_cache(&world, &archive, &[]).finish();
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
    world.wheel(&archive).finish().cached(&sdist.wheel());
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
    let archive = world.archive(&sdist);
    let refused = world.wheel(&archive).args(["--scratch-dir", "."]).finish();
    refused.fails_with(Code::CachePlace);
    world.folder("work/out");
    let refused = world
        .wheel(&archive)
        .args(["--scratch-dir", "out"])
        .finish();
    refused.fails_with(Code::CachePlace);
}

#[test]
fn without_a_home_a_run_needs_no_cache() {
    let world = world();
    let sdist = Sdist::hello("hello", "1.0");
    let archive = world.archive(&sdist);
    let cache = world.cache();
    let done = world
        .wheel(&archive)
        .without(&["--cache-dir", cache.to_str().expect("text")])
        .args(["-n"])
        .env("HOME", "")
        .env("TMPDIR", world.temporary())
        .finish();
    done.built(&sdist.wheel());
    assert!(!cache.exists());
}

#[test]
fn scratches_lie_where_they_are_told_to() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let sdist = waiting();
        let scratch = world.folder("scratch");
        let archive = world.archive(&sdist);
        let start = || {
            world
                .wheel(&archive)
                .args(["--scratch-dir".as_ref(), scratch.as_os_str()])
                .grace(std::time::Duration::from_secs(10))
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
        let archive = world.archive(&Sdist::hello("next", "1.0"));
        world
            .wheel(&archive)
            .args(["--scratch-dir".as_ref(), scratch.as_os_str()])
            .finish()
            .succeeds();
        assert_eq!(search::files(&scratch), [mine]);
    }
}

#[test]
fn places_that_can_not_serve_are_named_before_anything_starts() {
    let world = world();
    let sdist = Sdist::hello("hello", "1.0");
    let archive = world.archive(&sdist);
    let missing = world.folder("k").join("missing");
    let run = |flag: &str| {
        world
            .wheel(&archive)
            .args([flag.as_ref(), missing.as_os_str()])
            .finish()
    };
    for flag in ["--scratch-dir", "--cache-readonly"] {
        let failure = run(flag).fails_with(Code::CachePlace);
        assert!(failure.hint.expect("a remedy").contains(flag));
        assert!(!missing.exists());
        assert!(
            !world.cache().exists(),
            "nothing was made before it was found out"
        );
    }
    // A name that no file system takes.
    let long = world.folder("k").join("n".repeat(300));
    let cache = world.cache();
    world
        .wheel(&archive)
        .without(&["--cache-dir", cache.to_str().expect("text")])
        .args(["--cache-dir".as_ref(), long.as_os_str()])
        .finish()
        .fails_with(Code::CachePlace);
}

/// Mounts a small file system with these options on a folder for one run.
fn mounted<'a>(
    world: &'a World<'a>,
    run: Run<'a, 'a>,
    options: &str,
    then: &str,
) -> Outcome<'a, 'a> {
    let text = format!(
        "mount -t tmpfs -o {options} tmpfs {small} || exit 71; {then}\n exec \"$@\"",
        small = world.folder("small").display()
    );
    let done = run.in_own_mounts(&text).finish();
    assert_ne!(done.code, Some(71), "the mount could not be made: {done}");
    done
}

#[test]
fn a_noexec_mount_is_refused_for_scratches_and_serves_as_a_cache_with_others() {
    let world = world();
    let sdist = Sdist::hello("hello", "1.0");
    let archive = world.archive(&sdist);
    let (small, scratch) = (world.folder("small"), world.folder("scratch"));
    let cache = world.cache();
    let run = || {
        world
            .wheel(&archive)
            .without(&["--cache-dir", cache.to_str().expect("text")])
            .args(["--cache-dir".as_ref(), small.join("c").as_os_str()])
    };
    let options = "size=16m,mode=0755,noexec";
    let failure = mounted(&world, run(), options, "").fails_with(Code::CachePlace);
    assert!(failure.hint.expect("a remedy").contains("--scratch-dir"));
    let with = run().args(["--scratch-dir".as_ref(), scratch.as_os_str()]);
    mounted(&world, with, options, "").built(&sdist.wheel());
    let on_it = world
        .wheel(&archive)
        .args(["--scratch-dir".as_ref(), small.as_os_str()]);
    std::fs::remove_file(world.out().join(sdist.wheel())).expect("it was delivered");
    mounted(&world, on_it, options, "").fails_with(Code::CachePlace);
}

#[test]
fn a_full_mount_is_found_out_before_anything_starts() {
    let world = world();
    let sdist = Sdist::hello("hello", "1.0");
    let archive = world.archive(&sdist);
    let small = world.folder("small");
    let fill = format!(
        "head -c 2000000 /dev/zero >{}/filler 2>/dev/null",
        small.display()
    );
    let options = "size=1m,mode=0755";
    let scratch = world
        .wheel(&archive)
        .args(["--scratch-dir".as_ref(), small.as_os_str()]);
    mounted(&world, scratch, options, &fill).fails_with(Code::DiskFull);
    assert!(!world.cache().exists());
    let out = world.wheel(&archive).out(small.to_str().expect("text"));
    mounted(&world, out, options, &fill).fails_with(Code::DiskFull);
    assert!(!world.cache().exists());
}

#[test]
fn a_path_that_is_too_long_is_refused_where_builds_see_it() {
    let world = World::new(site(), Setting::DENIED);
    let sdist = Sdist::hello("hello", "1.0");
    let archive = world.archive(&sdist);
    let long = world.folder("k").join("n".repeat(80));
    let cache = world.cache();
    let run = || {
        world
            .wheel(&archive)
            .without(&["--cache-dir", cache.to_str().expect("text")])
            .args(["--cache-dir".as_ref(), long.as_os_str()])
    };
    let failure = run().finish().fails_with(Code::CachePlace);
    assert!(failure.hint.expect("a remedy").contains("--scratch-dir"));
    let scratch = world.folder("scratch");
    run()
        .args(["--scratch-dir".as_ref(), scratch.as_os_str()])
        .finish()
        .built(&sdist.wheel());
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

/// A project whose build needs another one from the index.
fn needing() -> Sdist {
    Sdist::hello("needing", "1.0")
        .requires(&["base"])
        .prologue("import base")
}

#[test]
fn a_lower_cache_serves_wheels_sources_and_environments_also_where_it_was_moved_to() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        world.index.wheel(&Wheel::new("base", "1.0"));
        let sdist = needing();
        world.index.sdist(&sdist);
        world.wheel("needing==1.0").finish().built(&sdist.wheel());
        let moved = world.folder("k").join("elsewhere");
        rustix::fs::rename(world.cache(), &moved).expect("an own folder");
        let before = states(&moved);
        let run = |arguments: &[&str]| {
            world
                .wheel("needing==1.0")
                .args(["--cache-readonly".as_ref(), moved.as_os_str()])
                .args(arguments)
                .finish()
        };
        let asked = |path: &str| world.index.requests(path);
        let files = [
            "/files/needing-1.0.tar.gz",
            "/files/base-1.0-py3-none-any.whl",
        ];
        let counts = files.map(asked);
        run(&[]).cached(&sdist.wheel());
        // Another build of the same source: its blob and its environment come from below.
        run(&["-C", "other=1"]).built(&sdist.wheel());
        assert_eq!(files.map(asked), counts, "nothing was fetched again");
        let environments = world.cache().join("environments-v1");
        assert_eq!(
            std::fs::read_dir(environments).expect("a bucket").count(),
            0
        );
        assert_eq!(
            changes(&before, &states(&moved)),
            Vec::<String>::new(),
            "{setting}"
        );
    }
}

#[test]
fn what_is_damaged_below_is_healed_above() {
    let world = world();
    let sdist = Sdist::hello("hello", "1.0");
    world.index.sdist(&sdist);
    world.wheel("hello==1.0").finish().built(&sdist.wheel());
    let lower = world.folder("k").join("lower");
    rustix::fs::rename(world.cache(), &lower).expect("an own folder");
    for bucket in ["wheels-v1", "sources-v1"] {
        let path = search::files(&lower.join(bucket))
            .into_iter()
            .find(|path| {
                let extension = path.extension();
                extension.is_none_or(|extension| extension != "json")
            })
            .expect("a wheel and a source");
        let content = std::fs::read(&path).expect("an own file");
        std::fs::write(&path, vec![b'x'; content.len()]).expect("an own file");
    }
    let before = states(&lower);
    let run = || {
        world
            .wheel("hello==1.0")
            .args(["--cache-readonly".as_ref(), lower.as_os_str()])
            .finish()
    };
    run().built(&sdist.wheel());
    assert_eq!(changes(&before, &states(&lower)), Vec::<String>::new());
    run().cached(&sdist.wheel());
    assert_eq!(search::files(&world.cache().join("sources-v1")).len(), 1);
}

#[test]
fn a_lower_cache_that_others_can_write_is_refused() {
    let world = world();
    let sdist = Sdist::hello("hello", "1.0");
    world.build(&sdist).finish().built(&sdist.wheel());
    let lower = world.folder("k").join("lower");
    rustix::fs::rename(world.cache(), &lower).expect("an own folder");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(&lower, mode).expect("an own folder");
    world
        .build(&sdist)
        .args(["--cache-readonly".as_ref(), lower.as_os_str()])
        .finish_anyhow()
        .exits_with(Code::CacheRefused);
}

#[test]
fn a_c_extension_is_built_offline_between_two_moves_of_the_root_and_above_it_as_a_lower_one() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        world.index.real(site().inputs());
        let spec = "markupsafe==3.0.2";
        world.wheel(spec).finish().succeeds();
        let cache = world.cache();
        let [first, second] = ["first", "second"].map(|name| world.folder("k").join(name));
        let run = |root: &Path, purpose: &str, more: &[&std::ffi::OsStr]| {
            let done = world
                .wheel(spec)
                .without(&["--cache-dir", cache.to_str().expect("text")])
                .args(["--cache-dir".as_ref(), root.as_os_str()])
                .args(["--offline", "-C", purpose])
                .args(more)
                .finish();
            assert_eq!(done.wheel().origin, "built", "{done}");
        };
        rustix::fs::rename(&cache, &first).expect("an own folder");
        run(&first, "purpose=1", &[]);
        rustix::fs::rename(&first, &second).expect("an own folder");
        run(&second, "purpose=2", &[]);
        let before = states(&second);
        let lower = ["--cache-readonly".as_ref(), second.as_os_str()];
        run(&world.folder("k").join("upper"), "purpose=3", &lower);
        assert_eq!(changes(&before, &states(&second)), Vec::<String>::new());
    }
}

#[test]
fn an_interrupted_run_without_a_cache_leaves_nothing() {
    for setting in Setting::all(site()) {
        for signal in [Signal::SIGINT, Signal::SIGTERM] {
            let world = World::new(site(), setting);
            let archive = world.archive(&waiting());
            let before = look(&world);
            let mut running = without_cache(&world, &archive, &[]).start();
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
fn a_kept_scratch_and_a_run_that_leaves_nothing_contradict_each_other() {
    let world = world();
    let archive = world.archive(&Sdist::hello("hello", "1.0"));
    let before = look(&world);
    let done = without_cache(&world, &archive, &["--keep-scratch"]).finish();
    done.fails_with(Code::BadFlag);
    assert_eq!(changes(&before, &look(&world)), Vec::<String>::new());
}

#[test]
fn the_output_directory_may_be_on_another_file_system() {
    let world = world();
    let sdist = Sdist::hello("hello", "1.0");
    let archive = world.archive(&sdist);
    let (small, kept) = (world.folder("small"), world.folder("kept"));
    let seen = world.file("seen", "");
    let text = format!(
        "mount -t tmpfs -o size=16m,mode=0755 tmpfs {small} || exit 71; \"$@\"; code=$?; \
         ls -A {small} >{seen}; cp {small}/* {kept}; exit $code",
        small = small.display(),
        kept = kept.display(),
        seen = seen.display(),
    );
    let done = world
        .wheel(&archive)
        .out(small.to_str().expect("text"))
        .in_own_mounts(&text)
        .finish();
    assert_ne!(done.code, Some(71), "the mount could not be made: {done}");
    done.succeeds();
    let wheel = done.report().wheels.remove(0);
    let names = std::fs::read_to_string(&seen).expect("the list");
    assert_eq!(names.trim(), sdist.wheel(), "nothing else is there");
    let content = std::fs::read(kept.join(sdist.wheel())).expect("it was copied");
    assert_eq!(search::sha256(&content), wheel.sha256);
}

#[test]
fn no_file_of_the_cache_can_be_reached_from_a_scratch_by_a_hard_link() {
    use std::os::unix::fs::MetadataExt as _;
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        world.index.wheel(&Wheel::new("base", "1.0"));
        let sdist = waiting().requires(&["base"]);
        let archive = world.archive(&sdist);
        let mut running = world.wheel(&archive).start();
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

#[test]
fn doctor_shows_where_scratches_are_and_what_is_below() {
    let world = world();
    let (scratch, lower) = (world.folder("scratch"), world.folder("k").join("lower"));
    let sdist = Sdist::hello("hello", "1.0");
    world.build(&sdist).finish().built(&sdist.wheel());
    rustix::fs::rename(world.cache(), &lower).expect("an own folder");
    let done = world
        .run(["doctor", "--output-format", "json", "--default-index"])
        .args([world.index.url()])
        .args(["--cache-dir".as_ref(), world.cache().as_os_str()])
        .args(["--scratch-dir".as_ref(), scratch.as_os_str()])
        .args(["--cache-readonly".as_ref(), lower.as_os_str()])
        .args(["-p".as_ref(), world.python().path.as_os_str()])
        .finish();
    done.succeeds();
    let found: serde_json::Value = serde_json::from_str(&done.stdout).expect("one document");
    let cache = &found["cache"];
    assert_eq!(cache["scratches"], scratch.display().to_string());
    assert_eq!(cache["scratches_noexec"], false);
    assert_eq!(cache["read_only"], json!([lower]));
}
