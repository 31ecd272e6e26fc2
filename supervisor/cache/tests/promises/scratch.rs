//! Scratches: their names, their rooms, their end.

use std::fs;

use crate::support::{World, folder_of_nobody, mode_of, unprivileged};
use cache::{Cache, CacheError};

#[test]
fn a_scratch_lies_at_the_root_under_six_letters_and_is_leased() {
    let world = World::new();
    let scratch = world.cache.scratch().unwrap();
    let name = scratch.name().to_owned();
    assert_eq!(scratch.path(), world.root().join(&name));
    assert_eq!(name.len(), 6);
    assert!(
        name.bytes()
            .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
    );
    assert_eq!(mode_of(scratch.path()), 0o700);
    let lease = fs::read_to_string(scratch.path().join("lease")).unwrap();
    let lease: serde_json::Value = serde_json::from_str(&lease).unwrap();
    assert_eq!(lease["name"], name);
    assert_eq!(lease["pid"], std::process::id());
    assert!(world.staged().is_empty());
}

#[test]
fn rooms_are_letters_and_files_lie_beside_them() {
    let world = World::new();
    let scratch = world.cache.scratch().unwrap();
    let room = scratch.room('w').unwrap();
    assert_eq!(room, scratch.path().join("w"));
    assert_eq!(mode_of(&room), 0o700);
    assert!(matches!(scratch.room('w'), Err(CacheError::Io { .. })));
    for letter in ['/', '.', 'W', '\0', 'ä', '0'] {
        assert!(
            matches!(scratch.room(letter), Err(CacheError::Name { .. })),
            "{letter:?}"
        );
    }
    let file = scratch.write("assignment", b"first, and long").unwrap();
    let again = scratch.write("assignment", b"second").unwrap();
    assert_eq!(file, again);
    assert_eq!(fs::read(&file).unwrap(), b"second");
    assert_eq!(mode_of(&file), 0o644);
    for name in ["", ".", "..", "a/b", "../a", "lease", "/etc/x"] {
        assert!(
            matches!(scratch.write(name, b""), Err(CacheError::Name { .. })),
            "{name}"
        );
    }
}

#[test]
fn writing_replaces_a_link_and_does_not_follow_it() {
    let world = World::new();
    let scratch = world.cache.scratch().unwrap();
    let outside = world.dir.path().join("outside");
    fs::write(&outside, b"untouched").unwrap();
    std::os::unix::fs::symlink(&outside, scratch.path().join("file")).unwrap();
    scratch.write("file", b"new").unwrap();
    assert_eq!(fs::read(&outside).unwrap(), b"untouched");
}

#[test]
fn removing_and_dropping_leave_nothing() {
    let world = World::new();
    for drop_it in [true, false] {
        let scratch = world.cache.scratch().unwrap();
        let room = scratch.room('w').unwrap();
        fs::write(room.join("file"), b"x").unwrap();
        if drop_it {
            drop(scratch);
        } else {
            scratch.remove().unwrap();
        }
        assert!(world.strangers().is_empty());
        assert!(world.staged().is_empty());
    }
}

#[test]
fn a_kept_scratch_survives_the_sweep() {
    let world = World::new();
    let scratch = world.cache.scratch().unwrap();
    let room = scratch.room('w').unwrap();
    let path = scratch.keep();
    let swept = world.cache.sweep().unwrap();
    assert_eq!((swept.scratches, swept.in_use), (0, 1));
    assert!(room.is_dir() && path.is_dir());
}

#[test]
fn it_works_for_those_who_are_not_root() {
    let (_dir, theirs) = folder_of_nobody();
    let left = unprivileged(move || {
        let cache = Cache::open(&theirs.join("cache")).unwrap();
        let scratch = cache.scratch().unwrap();
        fs::write(scratch.room('w').unwrap().join("file"), b"x").unwrap();
        let path = scratch.path().to_owned();
        scratch.remove().unwrap();
        cache.sweep().unwrap();
        path.exists()
    });
    assert!(!left);
}

#[test]
fn many_scratches_at_once_have_different_names() {
    let world = World::new();
    let names: std::collections::BTreeSet<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16)
            .map(|_| scope.spawn(|| world.cache.scratch().unwrap().name().to_owned()))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(names.len(), 16);
    assert!(world.strangers().is_empty());
}

#[test]
fn on_ext4_scratches_begin_in_parts_of_the_disk_of_their_own_and_elsewhere_nothing_is_asked_for() {
    let world = World::new();
    drop(world.cache.scratch().unwrap());
    let folder = fs::File::open(world.cache.bucket(cache::Bucket::Staging)).unwrap();
    let is_ext4 = rustix::fs::fstatfs(&folder).unwrap().f_type == 0xef53;
    let flags = rustix::fs::ioctl_getflags(&folder);
    let is_set = flags.is_ok_and(|flags| flags.contains(rustix::fs::IFlags::TOPDIR));
    assert_eq!(is_set, is_ext4);
}
