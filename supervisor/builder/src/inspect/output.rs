//! Taking the one file out of a build's output folder, into a copy that the build never had open.
//!
//! The build is over when this runs, but what it left is still hostile: nothing is followed, nothing
//! blocks, and what the folder shows is believed only of the open descriptor.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt as _;

use cache::StagingFile;
use model::{Digest, Sha256};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, fstat, openat, statat};
use sha2::Digest as _;

use super::OutputRefused;
use super::error::shown;

/// Counting of entries stops here.
pub(super) const MOST_ENTRIES: usize = 1000;
/// Names that are repeated in an error.
const MOST_SHOWN: usize = 5;
/// Bytes of holes that any file system may leave.
const HOLES: u64 = 1 << 20;

/// Copies the only file in `room` to `into` and returns its name and digest.
///
/// `uid` is the build's, as this process sees it; `into` is a fresh file.
///
/// # Errors
/// If the folder does not hold exactly one regular file of the build's own with one name and at most
/// `max_bytes` bytes, or copying fails.
pub fn take_output(
    room: BorrowedFd<'_>,
    uid: u32,
    into: &mut StagingFile,
    max_bytes: u64,
) -> Result<(String, Digest), OutputRefused> {
    let unreadable = |source: io::Error| OutputRefused::Unreadable {
        name: ".".to_owned(),
        source,
    };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder =
        openat(room, ".", flags, Mode::empty()).map_err(|errno| unreadable(errno.into()))?;
    let device = fstat(&folder)
        .map_err(|errno| unreadable(errno.into()))?
        .st_dev;
    let name = only_name(&folder)?;
    let (file, before) = open(&folder, &name)?;
    let owner = before.st_uid;
    if owner != uid {
        return Err(OutputRefused::Owner {
            name,
            owner,
            wanted: uid,
        });
    }
    let links = links_of(&file, &name)?;
    if links != 1 {
        return Err(OutputRefused::HardLinked { name, links });
    }
    if before.st_dev != device {
        return Err(OutputRefused::Mount { name });
    }
    let size = size_of(&before);
    if size > max_bytes {
        return Err(OutputRefused::TooLarge {
            name,
            size,
            cap: max_bytes,
        });
    }
    check_holes(&file, &name, &before)?;
    let digest = copy(&file, &name, size, into)?;
    check_unchanged(&file, &name, &before)?;
    check_copy(into, &name, digest)?;
    Ok((name, digest))
}

fn only_name(folder: &OwnedFd) -> Result<String, OutputRefused> {
    let unreadable = |errno: rustix::io::Errno| OutputRefused::Unreadable {
        name: ".".to_owned(),
        source: errno.into(),
    };
    let mut names = Vec::new();
    let mut count = 0;
    for entry in Dir::read_from(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name().to_bytes();
        if name == b"." || name == b".." {
            continue;
        }
        count += 1;
        if names.len() < MOST_SHOWN {
            names.push(name.to_vec());
        }
        if count == MOST_ENTRIES {
            break;
        }
    }
    match names.as_slice() {
        [] => Err(OutputRefused::None),
        [name] => plain(name),
        _ => {
            names.sort();
            let shown: Vec<_> = names
                .iter()
                .map(|name| shown(&String::from_utf8_lossy(name)))
                .collect();
            Err(OutputRefused::Several {
                count,
                names: shown.join(", "),
            })
        }
    }
}

pub(super) fn plain(name: &[u8]) -> Result<String, OutputRefused> {
    match std::str::from_utf8(name) {
        Ok(text) if text.chars().all(|letter| letter.is_ascii_graphic()) => Ok(text.to_owned()),
        _ => Err(OutputRefused::Name {
            name: shown(&String::from_utf8_lossy(name)),
        }),
    }
}

/// Opens a regular file. It is looked at before, because opening a device already does something.
pub(super) fn open(folder: &OwnedFd, name: &str) -> Result<(File, Stat), OutputRefused> {
    let unreadable = |errno: rustix::io::Errno| OutputRefused::Unreadable {
        name: name.to_owned(),
        source: errno.into(),
    };
    let seen = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).map_err(unreadable)?;
    check_kind(name, &seen)?;
    let flags =
        OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = openat(folder, name, flags, Mode::empty()).map_err(unreadable)?;
    let opened = fstat(&file).map_err(unreadable)?;
    check_kind(name, &opened)?;
    if (opened.st_dev, opened.st_ino) != (seen.st_dev, seen.st_ino) {
        return Err(OutputRefused::Changed {
            name: name.to_owned(),
        });
    }
    Ok((File::from(file), opened))
}

fn check_kind(name: &str, stat: &Stat) -> Result<(), OutputRefused> {
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => return Ok(()),
        FileType::Symlink => "symlink",
        FileType::Fifo => "fifo",
        FileType::Socket => "socket",
        FileType::Directory => "directory",
        _ => "device",
    };
    Err(OutputRefused::Kind {
        name: name.to_owned(),
        kind,
    })
}

/// Refuses a file that consists of holes. File systems that compress store less than a file's size
/// as well, but show no holes.
fn check_holes(file: &File, name: &str, stat: &Stat) -> Result<(), OutputRefused> {
    let size = size_of(stat);
    let stored = u64::try_from(stat.st_blocks)
        .unwrap_or(0)
        .saturating_mul(512);
    if stored.saturating_add(HOLES) >= size {
        return Ok(());
    }
    let unreadable = |errno: rustix::io::Errno| OutputRefused::Unreadable {
        name: name.to_owned(),
        source: errno.into(),
    };
    let hole = match rustix::fs::seek(file, rustix::fs::SeekFrom::Hole(0)) {
        Ok(hole) => hole,
        // This file system can not tell.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::OPNOTSUPP) => size,
        Err(errno) => return Err(unreadable(errno)),
    };
    rustix::fs::seek(file, rustix::fs::SeekFrom::Start(0)).map_err(unreadable)?;
    match hole < size {
        true => Err(OutputRefused::Sparse {
            name: name.to_owned(),
            size,
            stored,
        }),
        false => Ok(()),
    }
}

/// Copies exactly `size` bytes, hashing them.
fn copy(
    mut file: &File,
    name: &str,
    size: u64,
    into: &mut StagingFile,
) -> Result<Digest, OutputRefused> {
    let mut hasher = sha2::Sha256::new();
    let mut buffer = vec![0; 128 * 1024];
    let mut count = 0_u64;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(got) => {
                count += got as u64;
                if count > size {
                    break;
                }
                hasher.update(&buffer[..got]);
                into.write_all(&buffer[..got])
                    .map_err(|source| copying(into, source))?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(source) => {
                return Err(OutputRefused::Unreadable {
                    name: name.to_owned(),
                    source,
                });
            }
        }
    }
    if count != size {
        return Err(OutputRefused::Changed {
            name: name.to_owned(),
        });
    }
    into.flush().map_err(|source| copying(into, source))?;
    Ok(Digest {
        sha256: Sha256::from_bytes(hasher.finalize().into()),
        size,
    })
}

pub(super) fn check_unchanged(file: &File, name: &str, before: &Stat) -> Result<(), OutputRefused> {
    let after = fstat(file.as_fd()).map_err(|errno| OutputRefused::Unreadable {
        name: name.to_owned(),
        source: errno.into(),
    })?;
    let marks = |stat: &Stat| {
        let times = (
            stat.st_mtime,
            stat.st_mtime_nsec,
            stat.st_ctime,
            stat.st_ctime_nsec,
        );
        (stat.st_size, stat.st_nlink, times)
    };
    match marks(&after) == marks(before) {
        true => Ok(()),
        false => Err(OutputRefused::Changed {
            name: name.to_owned(),
        }),
    }
}

/// Reads the copy again: what is judged and published must be what was hashed.
fn check_copy(into: &mut StagingFile, name: &str, digest: Digest) -> Result<(), OutputRefused> {
    into.seek(SeekFrom::Start(0))
        .map_err(|source| copying(into, source))?;
    let copied = Sha256::of_reader(&mut *into).map_err(|source| copying(into, source))?;
    match copied == (digest.sha256, digest.size) {
        true => Ok(()),
        false => Err(OutputRefused::Changed {
            name: name.to_owned(),
        }),
    }
}

fn copying(into: &StagingFile, source: io::Error) -> OutputRefused {
    OutputRefused::Copy {
        path: into.path().to_owned(),
        source,
    }
}

/// Asks the standard library: the kernel's own field has another width on each architecture.
pub(super) fn links_of(file: &File, name: &str) -> Result<u64, OutputRefused> {
    let metadata = file
        .metadata()
        .map_err(|source| OutputRefused::Unreadable {
            name: name.to_owned(),
            source,
        })?;
    Ok(metadata.nlink())
}

pub(super) fn size_of(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or(0)
}
