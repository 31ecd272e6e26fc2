//! Where things are written: the output folder, the cache, a full disk, and nowhere else.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, chown};

use model::Code;
use tests::decoy::{changes, states};
use tests::{Identity, Sdist, Setting, World};

use crate::{site, world};

/// Settings whose user the file system can refuse something: not root.
fn ordinary() -> Vec<Setting> {
    Setting::all(site())
        .into_iter()
        .filter(|setting| setting.identity.uid() != 0)
        .collect()
}

#[test]
fn an_output_folder_that_is_a_file_is_an_error() {
    let world = world();
    world.file("work/out", "not a folder\n");
    let done = world.build(&Sdist::hello("hello", "1.0")).finish_anyhow();
    done.says(Code::OutDir);
}

#[test]
fn an_output_folder_that_can_not_be_written_is_an_error() {
    for setting in ordinary() {
        let world = World::new(site(), setting);
        let out = world.folder("work/out");
        std::fs::set_permissions(&out, Permissions::from_mode(0o555)).expect("an own folder");
        let done = world.build(&Sdist::hello("hello", "1.0")).finish();
        let failure = done.fails_with(Code::OutDir);
        assert!(
            failure.message.contains(&out.display().to_string()),
            "{done}"
        );
        assert!(
            failure.hint.is_some_and(|hint| hint.contains("--out-dir")),
            "{done}"
        );
        assert!(!world.cache().exists(), "nothing was begun: {done}");
    }
}

#[test]
fn a_folder_that_is_not_a_cache_is_left_alone() {
    let world = world();
    let precious = world.file(world.cache().join("precious.txt"), "as it was\n");
    let before = states(precious.parent().expect("the folder"));
    world
        .build(&Sdist::hello("hello", "1.0"))
        .finish_anyhow()
        .exits_with(Code::CacheRefused);
    assert_eq!(
        changes(&before, &states(precious.parent().expect("the folder"))),
        Vec::<String>::new()
    );
}

#[test]
fn a_cache_that_others_can_write_is_refused() {
    let world = world();
    let sdist = Sdist::hello("hello", "1.0");
    world.build(&sdist).finish().built(&sdist.wheel());
    std::fs::set_permissions(world.cache(), Permissions::from_mode(0o777)).expect("an own folder");
    world
        .build(&sdist)
        .finish_anyhow()
        .exits_with(Code::CacheRefused);
}

/// A user who is neither root nor anybody whom the program runs as.
const STRANGER: u32 = 65_533;

#[test]
fn a_root_and_a_lower_cache_of_another_user_are_refused_for_their_owner() {
    if Identity::Caller.uid() != 0 {
        return site().unrun.note("another user (needs root)");
    }
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let sdist = Sdist::hello("hello", "1.0");
        world.build(&sdist).finish().built(&sdist.wheel());
        let theirs = world.move_cache("theirs");
        let private = Permissions::from_mode(0o755);
        std::fs::set_permissions(&theirs, private).expect("root may");
        chown(&theirs, Some(STRANGER), Some(STRANGER)).expect("root may");
        let before = states(&theirs);
        for run in [
            world.build(&sdist).set("--cache-dir", &theirs),
            world.build(&sdist).flag("--cache-readonly", &theirs),
            world.build(&sdist).flag("--scratch-dir", &theirs),
        ] {
            let done = run.finish_anyhow();
            done.exits_with(Code::CacheRefused);
            let says = format!(
                "belongs to user {STRANGER}, you are user {}",
                setting.identity.uid()
            );
            assert!(done.stderr.contains(&says), "{setting}: {done}");
        }
        assert_eq!(changes(&before, &states(&theirs)), Vec::<String>::new());
        // Root could do anything anyway, so a lower cache of root serves everybody.
        chown(&theirs, Some(0), Some(0)).expect("root may");
        let above = world.build(&sdist).flag("--cache-readonly", &theirs);
        above.finish().cached(&sdist.wheel());
    }
}

#[test]
fn a_cache_that_can_not_be_made_is_an_error() {
    let world = world();
    world.file("k/c", "not a folder\n");
    let done = world.build(&Sdist::hello("hello", "1.0")).finish_anyhow();
    assert!(matches!(done.code, Some(2)), "{done}");
    assert!(
        done.stderr.contains("F0105") || done.stderr.contains("F0106"),
        "{done}"
    );
}

#[test]
fn nothing_is_written_outside_of_cache_and_output_folder() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let sdist = Sdist::hello("hello", "1.0");
        let archive = world.archive(&sdist);
        let ours = |path: &std::path::Path| {
            path.starts_with(world.folder("k")) || path.starts_with(world.folder("work"))
        };
        let look = || -> std::collections::BTreeMap<_, _> {
            states(&world.folder(""))
                .into_iter()
                .filter(|(path, _)| !ours(path))
                .collect()
        };
        let before = look();
        world.wheel(&archive).finish().built(&sdist.wheel());
        assert_eq!(changes(&before, &look()), Vec::<String>::new());
        assert_eq!(world.delivered(), [sdist.wheel()]);
        let mode = |path: &std::path::Path| {
            std::fs::metadata(path)
                .expect("it was made")
                .permissions()
                .mode()
                & 0o7777
        };
        assert_eq!(mode(&world.out().join(sdist.wheel())), 0o644);
        for name in ["CACHEDIR.TAG", ".gitignore"] {
            assert!(world.cache().join(name).is_file(), "{name}");
        }
    }
}

#[test]
fn a_full_disk_is_an_error_and_room_makes_it_work() {
    let world = world();
    let sdist = Sdist::hello("large", "1.0").file("ballast.bin", ballast(6 << 20));
    let archive = world.archive(&sdist);
    let (small, seen) = (world.folder("small"), world.file("seen", ""));
    // A file system of four megabytes that only this run sees; what is left on it is listed before it goes.
    let text = format!(
        "mount -t tmpfs -o size=4m,mode=0755 tmpfs {small} || exit 71; \"$@\"; code=$?; \
         find {small} -type f -size +64k >{seen}; find {small} -maxdepth 2 -name lease >>{seen}; exit $code",
        small = small.display(),
        seen = seen.display(),
    );
    let cache = small.join("c");
    let done = world
        .run(["wheel"])
        .args([
            archive.as_os_str(),
            "-o".as_ref(),
            world.out().as_os_str(),
            "--cache-dir".as_ref(),
            cache.as_os_str(),
        ])
        .args(["-p".as_ref(), world.python().path.as_os_str()])
        .args([
            "--default-index",
            &world.index.url(),
            "--output-format",
            "json",
        ])
        .in_own_mounts(&text)
        .finish();
    assert_ne!(
        done.code,
        Some(71),
        "a small file system could not be mounted: {done}"
    );
    done.fails_with(Code::DiskFull);
    assert_eq!(
        std::fs::read_to_string(&seen).expect("the list"),
        "",
        "left on the full disk: {done}"
    );
    world.wheel(&archive).finish().built(&sdist.wheel());
}

#[test]
fn one_writable_mount_is_enough() {
    for setting in Setting::all(site())
        .into_iter()
        .filter(|setting| setting.identity == Identity::Caller)
    {
        let world = World::new(site(), setting);
        let sdist = Sdist::hello("hello", "1.0");
        let mount = world.folder("m");
        // All that is mounted becomes read-only, but for one folder; the cache and the output are in it.
        let text = format!(
            "mount --bind {mount} {mount} || exit 71; \
             sed 's/ - .*//' /proc/self/mountinfo | cut -d' ' -f5 | while read -r point; do \
               case $point in {mount}|/proc*|/sys*|/dev*) ;; *) mount -o remount,bind,ro \"$point\" || exit 71;; esac; \
             done || exit 71; \
             ! touch {home}/writable 2>/dev/null || exit 71; exec \"$@\"",
            mount = mount.display(),
            home = world.home().display(),
        );
        let (cache, out) = (mount.join("c"), mount.join("out"));
        let done = world
            .run(["wheel"])
            .args([
                world.archive(&sdist).as_os_str(),
                "-o".as_ref(),
                out.as_os_str(),
            ])
            .args([
                "--cache-dir".as_ref(),
                cache.as_os_str(),
                "-p".as_ref(),
                world.python().path.as_os_str(),
            ])
            .args([
                "--default-index",
                &world.index.url(),
                "--output-format",
                "json",
            ])
            .in_own_mounts(&text)
            .finish();
        assert_ne!(done.code, Some(71), "the mounts could not be made: {done}");
        let wheel = done.built(&sdist.wheel());
        assert_eq!(
            wheel.isolation.expect("it was built").level,
            setting.level().word(),
            "{done}"
        );
    }
}

/// Bytes that do not shrink.
pub(crate) fn ballast(length: usize) -> Vec<u8> {
    let mut state = 1u64;
    let next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 56) as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}
