//! Hostile output folders, rows 104 to 108 and 116 of the attack matrix, with real files.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use cache::{Cache, StagingFile};
use model::{Code, Digest, Sha256};
use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::inspect::{OutputRefused, take_output};

const CAP: u64 = 64 << 20;

/// An output folder, and a cache to copy to.
struct World {
    place: tempfile::TempDir,
    cache: Cache,
}

impl World {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir(place.path().join("dist")).unwrap();
        let cache = Cache::open(&place.path().join("cache")).unwrap();
        Self { place, cache }
    }

    fn dist(&self, name: &str) -> PathBuf {
        self.place.path().join("dist").join(name)
    }

    fn uid() -> u32 {
        rustix::process::geteuid().as_raw()
    }

    fn take_as(&self, uid: u32, cap: u64) -> Result<(String, Digest, StagingFile), OutputRefused> {
        let room = File::open(self.place.path().join("dist")).unwrap();
        let mut copy = self.cache.staging_file().unwrap();
        let (name, digest) = take_output(room.as_fd(), uid, &mut copy, cap)?;
        Ok((name, digest, copy))
    }

    fn refused(&self) -> OutputRefused {
        let error = self.take_as(Self::uid(), CAP).unwrap_err();
        assert!(!error.to_string().chars().any(char::is_control), "{error}");
        error
    }
}

#[test]
fn the_one_file_is_copied_and_its_copy_is_another_inode() {
    let world = World::new();
    let bytes: Vec<u8> = (0..300_000_u32)
        .map(|number| (number % 251) as u8)
        .collect();
    fs::write(world.dist("a-1-py3-none-any.whl"), &bytes).unwrap();
    let (name, digest, mut copy) = world.take_as(World::uid(), CAP).unwrap();
    assert_eq!(name, "a-1-py3-none-any.whl");
    assert_eq!(
        digest,
        Digest {
            sha256: Sha256::of(&bytes),
            size: 300_000
        }
    );
    let mut copied = Vec::new();
    copy.seek(SeekFrom::Start(0)).unwrap();
    copy.read_to_end(&mut copied).unwrap();
    assert_eq!(copied, bytes);
    let original = fs::metadata(world.dist(&name)).unwrap();
    assert_ne!(copy.file().metadata().unwrap().ino(), original.ino());
}

#[test]
fn a_build_that_keeps_the_file_open_changes_nothing_of_the_copy() {
    let world = World::new();
    let mut held = File::create(world.dist("a.whl")).unwrap();
    held.write_all(b"honest").unwrap();
    let (_, digest, mut copy) = world.take_as(World::uid(), CAP).unwrap();
    held.seek(SeekFrom::Start(0)).unwrap();
    held.write_all(b"hostile bytes").unwrap();
    let mut copied = String::new();
    copy.seek(SeekFrom::Start(0)).unwrap();
    copy.read_to_string(&mut copied).unwrap();
    assert_eq!(copied, "honest");
    assert_eq!(digest.sha256, Sha256::of("honest"));
}

#[test]
fn nothing_and_several_are_refused() {
    let world = World::new();
    let none = world.refused();
    assert_eq!((none.rule(), none.code()), ("none", Code::OutputRefused));
    fs::write(world.dist("a.whl"), "a").unwrap();
    fs::write(world.dist("b\u{1b}[2J.whl"), "b").unwrap();
    let several = world.refused();
    assert_eq!(several.rule(), "several");
    assert!(several.to_string().contains("2 entries"), "{several}");
    fs::remove_file(world.dist("a.whl")).unwrap();
    assert_eq!(world.refused().rule(), "name");
}

#[test]
fn what_is_not_a_regular_file_is_refused_without_blocking_or_following() {
    let world = World::new();
    let secret = world.place.path().join("secret");
    fs::write(&secret, "secret").unwrap();
    symlink(&secret, world.dist("a.whl")).unwrap();
    assert_eq!(world.refused().rule(), "symlink");
    fs::remove_file(world.dist("a.whl")).unwrap();

    symlink("/nowhere", world.dist("a.whl")).unwrap();
    assert_eq!(world.refused().rule(), "symlink");
    fs::remove_file(world.dist("a.whl")).unwrap();

    mknodat(
        CWD,
        world.dist("a.whl"),
        FileType::Fifo,
        Mode::from_raw_mode(0o644),
        0,
    )
    .unwrap();
    assert_eq!(world.refused().rule(), "fifo");
    fs::remove_file(world.dist("a.whl")).unwrap();

    let socket = UnixListener::bind(world.dist("a.whl")).unwrap();
    assert_eq!(world.refused().rule(), "socket");
    drop(socket);
    fs::remove_file(world.dist("a.whl")).unwrap();

    fs::create_dir(world.dist("a.whl")).unwrap();
    assert_eq!(world.refused().rule(), "directory");
}

#[test]
fn a_device_is_refused_without_being_opened() {
    let world = World::new();
    let null = rustix::fs::makedev(1, 3);
    let made = mknodat(
        CWD,
        world.dist("a.whl"),
        FileType::CharacterDevice,
        Mode::from_raw_mode(0o644),
        null,
    );
    if let Err(errno) = made {
        // A macro's words a test that passes keeps for itself.
        let text = format!("NOT RUN: a device can not be made here: {errno}\n");
        std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes()).unwrap();
        return;
    }
    assert_eq!(world.refused().rule(), "device");
}

#[test]
fn a_file_with_another_name_or_owner_is_refused() {
    let world = World::new();
    let secret = world.place.path().join("secret");
    fs::write(&secret, "secret").unwrap();
    fs::hard_link(&secret, world.dist("a.whl")).unwrap();
    assert_eq!(world.refused().rule(), "hard-link");
    fs::remove_file(&secret).unwrap();
    world.take_as(World::uid(), CAP).unwrap();
    let other = world.take_as(World::uid() + 1, CAP).unwrap_err();
    assert_eq!(other.rule(), "owner");
}

#[test]
fn a_file_that_is_too_large_or_made_of_holes_is_refused_before_it_is_copied() {
    let world = World::new();
    fs::write(world.dist("a.whl"), vec![1; 4096]).unwrap();
    world.take_as(World::uid(), 4096).unwrap();
    let large = world.take_as(World::uid(), 4095).unwrap_err();
    assert_eq!(large.rule(), "size");
    assert_eq!(
        large.to_string(),
        "the output `a.whl` has 4096 bytes; at most 4095 are taken"
    );
    File::create(world.dist("a.whl"))
        .unwrap()
        .set_len(8 << 20)
        .unwrap();
    assert_eq!(world.refused().rule(), "sparse");
}

#[test]
fn a_room_that_was_opened_as_a_path_only_serves_as_well() {
    let world = World::new();
    fs::write(world.dist("a.whl"), "a").unwrap();
    let flags = rustix::fs::OFlags::PATH | rustix::fs::OFlags::DIRECTORY;
    let room = rustix::fs::open(world.place.path().join("dist"), flags, Mode::empty()).unwrap();
    let mut copy = world.cache.staging_file().unwrap();
    take_output(room.as_fd(), World::uid(), &mut copy, CAP).unwrap();
}
