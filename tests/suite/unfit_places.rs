//! Places that can not serve, found out before anything starts, and file systems that lack something.

use model::Code;
use tests::{Outcome, Run, Sdist, Setting, World, search};

use crate::{site, world};

#[test]
fn places_that_can_not_serve_are_named_before_anything_starts() {
    let world = world();
    let sdist = Sdist::hello("hello", "1.0");
    let missing = world.folder("k").join("missing");
    let run = |flag: &str| world.build(&sdist).flag(flag, &missing).finish();
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
    world
        .build(&sdist)
        .set("--cache-dir", &long)
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
    let (small, scratch) = (world.folder("small"), world.folder("scratch"));
    let run = || world.build(&sdist).set("--cache-dir", small.join("c"));
    let options = "size=16m,mode=0755,noexec";
    let failure = mounted(&world, run(), options, "").fails_with(Code::CachePlace);
    assert!(failure.hint.expect("a remedy").contains("--scratch-dir"));
    let with = run().flag("--scratch-dir", &scratch);
    mounted(&world, with, options, "").built(&sdist.wheel());
    let on_it = world.build(&sdist).flag("--scratch-dir", &small);
    std::fs::remove_file(world.out().join(sdist.wheel())).expect("it was delivered");
    mounted(&world, on_it, options, "").fails_with(Code::CachePlace);
}

#[test]
fn a_full_mount_is_found_out_before_anything_starts() {
    let world = world();
    let sdist = Sdist::hello("hello", "1.0");
    let small = world.folder("small");
    let fill = format!(
        "head -c 2000000 /dev/zero >{}/filler 2>/dev/null",
        small.display()
    );
    let options = "size=1m,mode=0755";
    let scratch = world.build(&sdist).flag("--scratch-dir", &small);
    let out = world.build(&sdist).out(small.to_str().expect("text"));
    for (run, flag) in [(scratch, "--scratch-dir"), (out, "--out-dir")] {
        let failure = mounted(&world, run, options, &fill).fails_with(Code::DiskFull);
        let place = small.display().to_string();
        assert!(failure.message.contains(&place), "{failure:?}");
        let hint = failure.hint.expect("a remedy");
        assert!(hint.contains("make room") && hint.contains(flag), "{hint}");
        assert!(!world.cache().exists());
    }
}

#[test]
fn a_path_that_is_too_long_is_refused_where_builds_see_it() {
    let world = World::new(site(), Setting::DENIED);
    let sdist = Sdist::hello("hello", "1.0");
    let long = world.folder("k").join("n".repeat(80));
    let run = || world.build(&sdist).set("--cache-dir", &long);
    let failure = run().finish().fails_with(Code::CachePlace);
    assert!(failure.hint.expect("a remedy").contains("--scratch-dir"));
    let scratch = world.folder("scratch");
    run()
        .flag("--scratch-dir", &scratch)
        .finish()
        .built(&sdist.wheel());
}

#[test]
fn the_output_directory_may_be_on_another_file_system() {
    let world = world();
    let sdist = Sdist::hello("hello", "1.0");
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
        .build(&sdist)
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
