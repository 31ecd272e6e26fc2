//! How much a build has put into its rooms, found by walking them without following links.

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd};

use nix::dir::{Dir, Type};
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag};
use nix::sys::stat::{FchmodatFlags, Mode, fchmod, fchmodat, fstatat};

use crate::rooms::Room;

/// Folders below each other that an honest tree may have.
const DEEPEST: usize = 200;

/// Bytes and inodes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Used {
    pub(super) bytes: u64,
    pub(super) inodes: u64,
}

impl Used {
    /// More than any limit: a tree that hides from being counted.
    const HIDDEN: Self = Self {
        bytes: u64::MAX,
        inodes: u64::MAX,
    };

    fn is_over(self, most: Self) -> bool {
        self.bytes > most.bytes || self.inodes > most.inodes
    }
}

/// Walks every room, as far as it takes to know whether `most` is exceeded. A folder that can not be
/// read even after its mode is mended, or that lies deeper than any honest one, exceeds every limit.
pub(super) fn of_rooms(rooms: &[Room], most: Used) -> Used {
    let mut used = Used::default();
    for room in rooms {
        if used.is_over(most) {
            break;
        }
        match readable(room.descriptor.as_fd(), c".") {
            Ok(dir) => walk(dir, 0, &mut used, most),
            Err(_) => return Used::HIDDEN,
        }
    }
    used
}

/// Opens a folder; one that its own mode forbids is given a mode that does not.
fn readable(parent: BorrowedFd<'_>, name: &CStr) -> nix::Result<Dir> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    match Dir::openat(parent, name, flags, Mode::empty()) {
        Err(Errno::EACCES) => {
            if name == c"." {
                fchmod(parent, Mode::S_IRWXU)?;
            } else {
                // Never a link: fchmodat without following has no way to change one.
                fchmodat(parent, name, Mode::S_IRWXU, FchmodatFlags::NoFollowSymlink)?;
            }
            Dir::openat(parent, name, flags, Mode::empty())
        }
        opened => opened,
    }
}

fn walk(mut dir: Dir, depth: usize, used: &mut Used, most: Used) {
    let mut below = Vec::new();
    let Ok(own) = dir.as_fd().try_clone_to_owned() else {
        *used = Used::HIDDEN;
        return;
    };
    for entry in dir.iter().flatten() {
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        used.inodes += 1;
        if entry.file_type() == Some(Type::Directory) {
            below.push(name.to_owned());
        } else if let Ok(found) = fstatat(&own, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
            used.bytes += u64::try_from(found.st_blocks).unwrap_or(0) * 512;
        }
        if used.is_over(most) {
            return;
        }
    }
    drop(dir);
    if depth >= DEEPEST && !below.is_empty() {
        *used = Used::HIDDEN;
        return;
    }
    for name in below {
        match readable(own.as_fd(), &name) {
            Ok(dir) => walk(dir, depth + 1, used, most),
            // Gone since it was listed, or a folder no more.
            Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP) => {}
            Err(_) => *used = Used::HIDDEN,
        }
        if used.is_over(most) {
            return;
        }
    }
}
