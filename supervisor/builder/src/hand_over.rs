//! The rooms of a build that is over, given to another uid: that of the build may be another's by now.
//!
//! Only for a supervisor that is root, and only while nothing runs that could reach the rooms.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};

use cache::Scratch;
use rustix::fs::{AtFlags, Dir, FileType, Gid, Mode, OFlags, Uid, chownat, fstat, openat, statat};

use crate::assignment::ROOMS;

/// Folders in folders that are followed; a build's own tools hardly make so many.
const DEEPEST: usize = 500;

/// Gives everything in the rooms that belongs to who owns the rooms to `uid`. No link is followed. A room
/// changes hands after all that is in it, so that what was interrupted is done again.
pub(crate) fn hand_over(scratch: &Scratch, uid: u32) -> io::Result<()> {
    for room in ROOMS {
        let name = room.to_string();
        let folder = openat(scratch.dir(), name.as_str(), flags(), Mode::empty())?;
        let owner = fstat(&folder)?.st_uid;
        if owner == uid {
            continue;
        }
        below(folder, (owner, uid), DEEPEST)?;
        give(scratch.dir(), name.as_str(), uid)?;
    }
    Ok(())
}

fn below(folder: OwnedFd, (owner, uid): (u32, u32), deeper: usize) -> io::Result<()> {
    let too_deep = || io::Error::other("folders lie too deep in each other");
    let deeper = deeper.checked_sub(1).ok_or_else(too_deep)?;
    for entry in Dir::read_from(&folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let found = statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
        if found.st_uid != owner {
            continue;
        }
        if FileType::from_raw_mode(found.st_mode) == FileType::Directory {
            let inner = openat(&folder, name, flags(), Mode::empty())?;
            below(inner, (owner, uid), deeper)?;
        }
        give(folder.as_fd(), name, uid)?;
    }
    Ok(())
}

fn give(
    folder: std::os::fd::BorrowedFd<'_>,
    name: impl rustix::path::Arg,
    uid: u32,
) -> io::Result<()> {
    let (user, group) = (Uid::from_raw(uid), Gid::from_raw(uid));
    let link_itself = AtFlags::SYMLINK_NOFOLLOW;
    chownat(folder, name, Some(user), Some(group), link_itself).map_err(io::Error::from)
}

fn flags() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC
}
