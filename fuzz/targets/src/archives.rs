//! The guards of archives: what they let pass lies inside of the room, and within the budget.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::path::Path;

use archive::{Budget, Kind, Top};
use rustix::fs::MemfdFlags;

/// Small, so that a fuzzer reaches it.
const BUDGET: Budget = Budget {
    members: 200,
    bytes: 1 << 20,
    ratio: 1000,
    depth: 16,
};
/// A tar comes in blocks of this many bytes.
const BLOCK: usize = 512;
/// Where a header has its checksum.
const CHECKSUM: std::ops::Range<usize> = 148..156;
/// Where a header has the size of its member.
const SIZE: std::ops::Range<usize> = 124..136;

/// Reads and unpacks a tar, plain or compressed. A plain one gets sums that fit first.
pub(crate) fn tar(bytes: &[u8]) {
    match Kind::detect(bytes) {
        Some(Kind::TarGz | Kind::TarBz2 | Kind::TarXz) => archive(bytes),
        _ => archive(&summed(bytes)),
    }
}

/// Reads and unpacks a zip.
pub(crate) fn zip(bytes: &[u8]) {
    archive(bytes);
}

fn archive(bytes: &[u8]) {
    let file = file(bytes);
    let wanted = ["pyproject.toml", "setup.py", "PKG-INFO"];
    for top in [Top::Any, Top::OneFolder] {
        if let Ok(found) = archive::peek(&file, &wanted, top, &BUDGET) {
            let read: usize = found.values().map(Vec::len).sum();
            assert!(
                read as u64 <= BUDGET.bytes * wanted.len() as u64,
                "{read} bytes"
            );
        }
    }
    let place = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    let place = place.expect("a folder can be made");
    let room = place.path().join("room");
    std::fs::create_dir(&room).expect("a folder can be made");
    let held = File::open(&room).expect("a folder can be opened");
    if let Ok(unpacked) = archive::unpack(&file, held.as_fd(), Top::Any, &BUDGET) {
        assert!(
            unpacked.members <= BUDGET.members,
            "{} members",
            unpacked.members
        );
        check(&room, &room);
    }
    let beside = std::fs::read_dir(place.path()).expect("the folder is there");
    assert_eq!(beside.count(), 1, "something lies beside the room");
}

/// Everything below is a folder, a plain file of one name, or a link that stays inside.
fn check(folder: &Path, room: &Path) {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    for entry in std::fs::read_dir(folder).expect("an unpacked folder can be read") {
        let path = entry.expect("an entry can be read").path();
        let found = path
            .symlink_metadata()
            .expect("what is there can be looked at");
        assert_eq!(found.permissions().mode() & 0o7000, 0, "{}", path.display());
        if found.is_dir() {
            check(&path, room);
        } else if found.is_symlink() {
            if let Ok(reached) = path.canonicalize() {
                let room = room.canonicalize().expect("the room is there");
                assert!(reached.starts_with(room), "{} leads out", path.display());
            }
        } else {
            assert!(found.is_file() && found.nlink() == 1, "{}", path.display());
        }
    }
}

fn file(bytes: &[u8]) -> File {
    let descriptor = rustix::fs::memfd_create("archive", MemfdFlags::CLOEXEC);
    let mut file = File::from(descriptor.expect("a file in memory can be made"));
    file.write_all(bytes).expect("a file in memory takes bytes");
    file
}

/// Gives every header the sum that it should have, so that what is behind the sum is reached.
fn summed(bytes: &[u8]) -> Vec<u8> {
    let mut summed = bytes.to_vec();
    let mut at = 0;
    while let Some(block) = summed.get_mut(at..at + BLOCK) {
        if block.iter().any(|byte| *byte != 0) {
            block[CHECKSUM].fill(b' ');
            let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
            block[CHECKSUM].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
        let digits = block[SIZE].iter().filter(|byte| byte.is_ascii_digit());
        let size = digits.fold(0_usize, |size, digit| {
            size.saturating_mul(8)
                .saturating_add(usize::from(digit & 7))
        });
        at = at
            .saturating_add(BLOCK)
            .saturating_add(size.min(bytes.len()).next_multiple_of(BLOCK));
    }
    summed
}
