//! The scratch as the worker holds it: open descriptors of its rooms, and where each is seen.

use std::os::fd::OwnedFd;
use std::path::PathBuf;

use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use protocol::{Fault, Namespaces, Rooms, Step};

use crate::error::At;

/// One room: its descriptor and the path under which the build sees it.
pub(crate) struct Room {
    /// The one letter.
    pub(crate) name: String,
    /// Opened for reading before anything was mounted or restricted.
    pub(crate) descriptor: OwnedFd,
    /// As the build sees it.
    pub(crate) seen_as: PathBuf,
}

/// Opens every room of the assignment.
pub(crate) fn open_all(rooms: &Rooms, namespaces: Namespaces) -> Result<Vec<Room>, Fault> {
    let base = match namespaces {
        Namespaces::None => &rooms.scratch,
        Namespaces::WithUser | Namespaces::WithoutUser => &rooms.seen_as,
    };
    rooms
        .writable
        .iter()
        .map(|name| {
            let host = rooms.scratch.as_path().join(name);
            let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_RDONLY | OFlag::O_CLOEXEC;
            let descriptor = open(&host, flags, Mode::empty())
                .at(Step::Session, format!("open room `{}`", host.display()))?;
            Ok(Room {
                name: name.clone(),
                descriptor,
                seen_as: base.as_path().join(name),
            })
        })
        .collect()
}

/// Finds a room by its letter.
pub(crate) fn find<'a>(rooms: &'a [Room], name: &str) -> Result<&'a Room, Fault> {
    rooms
        .iter()
        .find(|room| room.name == name)
        .ok_or_else(|| crate::error::fault(Step::Assignment, format!("there is no room `{name}`")))
}
