//! Trees that do not want to be removed.

use std::ffi::CString;
use std::fs;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixListener;
use std::path::Path;

use cache::{Bucket, Cache, CacheError};
use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};

use crate::support::{
    World, folder_of_nobody, give_away, is_root, not_run, set_mode, unprivileged,
};

/// Makes folders within each other, far beyond what a path can name.
fn nest(room: &Path, depth: usize) {
    let name = CString::new("d".repeat(20)).unwrap();
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut here = openat(CWD, room, flags, Mode::empty()).unwrap();
    for _ in 0..depth {
        mkdirat(&here, &name, Mode::RWXU).unwrap();
        here = openat(here.as_fd(), &name, flags, Mode::empty()).unwrap();
    }
    openat(
        &here,
        c"bottom",
        OFlags::CREATE | OFlags::WRONLY,
        Mode::RUSR,
    )
    .unwrap();
}

#[test]
fn ten_thousand_levels_are_removed() {
    let world = World::new();
    let scratch = world.cache.scratch().unwrap();
    nest(&scratch.room('w').unwrap(), 10_000);
    scratch.remove().unwrap();
    assert!(world.strangers().is_empty());
}

#[test]
fn nine_thousand_folders_side_by_side_are_removed() {
    let world = World::new();
    let scratch = world.cache.scratch().unwrap();
    let room = scratch.room('w').unwrap();
    for number in 0..9_000 {
        fs::create_dir(room.join(format!("{number}{}", "x".repeat(50)))).unwrap();
    }
    fs::write(room.join("y".repeat(255)), b"").unwrap();
    scratch.remove().unwrap();
    assert!(world.strangers().is_empty());
}

#[test]
fn links_are_removed_and_what_they_lead_to_stays() {
    let world = World::new();
    let outside = world.dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("file"), b"untouched").unwrap();
    set_mode(&outside, 0o500);
    let scratch = world.cache.scratch().unwrap();
    let room = scratch.room('w').unwrap();
    std::os::unix::fs::symlink(&outside, room.join("folder")).unwrap();
    std::os::unix::fs::symlink(outside.join("file"), room.join("file")).unwrap();
    std::os::unix::fs::symlink("loop", room.join("loop")).unwrap();
    std::os::unix::fs::symlink("/", room.join("everything")).unwrap();
    let _socket = UnixListener::bind(room.join("socket")).unwrap();
    rustix::fs::mkfifoat(CWD, room.join("pipe"), Mode::RWXU).unwrap();
    scratch.remove().unwrap();
    assert_eq!(fs::read(outside.join("file")).unwrap(), b"untouched");
    assert_eq!(crate::support::mode_of(&outside), 0o500);
    assert!(world.strangers().is_empty());
}

/// Fills a room with folders whose modes forbid everything or half of it.
fn lock_up(room: &Path) {
    for mode in [0o000, 0o100, 0o200, 0o300, 0o400, 0o500, 0o600] {
        let folder = room.join(format!("m{mode:o}"));
        fs::create_dir_all(folder.join("inner/most")).unwrap();
        fs::write(folder.join("file"), b"x").unwrap();
        fs::write(folder.join("inner/most/file"), b"x").unwrap();
        set_mode(&folder.join("inner/most"), mode);
        set_mode(&folder.join("inner"), mode);
        set_mode(&folder.join("file"), 0);
        set_mode(&folder, mode);
    }
    set_mode(room, 0);
}

#[test]
fn folders_that_forbid_everything_are_removed() {
    let world = World::new();
    let scratch = world.cache.scratch().unwrap();
    lock_up(&scratch.room('w').unwrap());
    scratch.remove().unwrap();
    assert!(world.strangers().is_empty());

    let (_dir, theirs) = folder_of_nobody();
    let removed = unprivileged(move || {
        let cache = Cache::open(&theirs.join("cache")).unwrap();
        let scratch = cache.scratch().unwrap();
        lock_up(&scratch.room('w').unwrap());
        scratch.remove().map_err(|error| format!("{error:?}"))
    });
    removed.unwrap();
}

#[test]
fn what_belongs_to_a_build_user_is_removed_by_root() {
    if !is_root() {
        return not_run("rooms of another user (needs root)");
    }
    let world = World::new();
    let scratch = world.cache.scratch().unwrap();
    let room = scratch.room('w').unwrap();
    give_away(&room);
    set_mode(scratch.path(), 0o711);
    set_mode(world.root(), 0o711);
    let inner = room.clone();
    unprivileged(move || lock_up(&inner));
    scratch.remove().unwrap();
    assert!(world.strangers().is_empty());
}

#[test]
fn what_can_not_be_removed_is_reported_and_the_rest_is_gone() {
    if !is_root() {
        return not_run("files of root in another's scratch (needs root)");
    }
    let (_dir, theirs) = folder_of_nobody();
    let root = theirs.join("cache");
    let scratch = unprivileged({
        let root = root.clone();
        move || {
            let scratch = Cache::open(&root).unwrap().scratch().unwrap();
            let room = scratch.room('w').unwrap();
            fs::create_dir(room.join("ours")).unwrap();
            fs::write(room.join("ours/file"), b"x").unwrap();
            scratch
        }
    });
    let foreign = scratch.path().join("w/foreign");
    fs::create_dir(&foreign).unwrap();
    fs::write(foreign.join("file"), b"x").unwrap();
    fs::create_dir(foreign.join("closed")).unwrap();
    set_mode(&foreign.join("closed"), 0o700);
    let path = scratch.path().to_owned();
    let error = unprivileged(move || scratch.remove().unwrap_err());
    let CacheError::Left { count, first, .. } = &error else {
        panic!("{error:?}");
    };
    assert_eq!((*count, first.as_str()), (2, "w/foreign/file"), "{error}");
    assert!(!path.join("w/ours").exists());
    // The lease is left, so a sweep of somebody who may remove them can finish the work; one who
    // may not says what is left.
    assert!(path.join("lease").exists());
    let swept = unprivileged(move || Cache::open(&root).unwrap().sweep().unwrap());
    assert_eq!((swept.scratches, swept.left.len()), (0, 1), "{swept:?}");
    assert!(foreign.join("file").exists());
}

#[test]
fn an_entry_of_a_bucket_is_removed_whole() {
    let world = World::new();
    let entry = world.cache.bucket(Bucket::Environments).join("entry");
    fs::create_dir_all(entry.join("env/lib")).unwrap();
    fs::write(entry.join("env/lib/file"), b"x").unwrap();
    set_mode(&entry.join("env/lib"), 0o500);
    world.cache.remove(&entry).unwrap();
    assert!(!entry.exists());
    let file = world.cache.bucket(Bucket::Wheels).join("file");
    fs::write(&file, b"x").unwrap();
    world.cache.remove(&file).unwrap();
    assert!(!file.exists());
    world.cache.remove(&file).unwrap();
    assert!(world.staged().is_empty());
}
