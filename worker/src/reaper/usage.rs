//! How much a build has put into its rooms, found by walking them without following links.

use std::os::fd::AsFd;

use nix::dir::{Dir, Type};
use nix::fcntl::{AtFlags, OFlag};
use nix::sys::stat::{Mode, fstatat};

use crate::rooms::Room;

/// Folders below each other that are walked; deeper ones count as one inode.
const DEEPEST: usize = 200;

/// Bytes and inodes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Used {
    pub(super) bytes: u64,
    pub(super) inodes: u64,
}

/// Walks every room. What can not be read any more counts as nothing: the build may be removing it.
pub(super) fn of_rooms(rooms: &[Room]) -> Used {
    let mut used = Used::default();
    for room in rooms {
        if let Ok(dir) = Dir::openat(&room.descriptor, ".", flags(), Mode::empty()) {
            walk(dir, 0, &mut used);
        }
    }
    used
}

fn flags() -> OFlag {
    OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC
}

fn walk(mut dir: Dir, depth: usize, used: &mut Used) {
    let mut below = Vec::new();
    let Ok(own) = dir.as_fd().try_clone_to_owned() else {
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
    }
    drop(dir);
    if depth < DEEPEST {
        for name in below {
            if let Ok(dir) = Dir::openat(&own, name.as_c_str(), flags(), Mode::empty()) {
                walk(dir, depth + 1, used);
            }
        }
    }
}
