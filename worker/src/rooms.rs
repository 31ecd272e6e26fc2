//! The scratch as the worker holds it: open descriptors of its rooms, and where each is seen.

use std::os::fd::OwnedFd;
use std::path::PathBuf;

use nix::fcntl::{OFlag, open, openat};
use nix::sys::stat::Mode;
use protocol::{Assignment, Fault, Namespaces, Rooms, Step};

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

/// Opens rooms that were moved into `home` for one build.
pub(crate) fn open_below(home: &Room, names: &[String]) -> Result<Vec<Room>, Fault> {
    let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_RDONLY | OFlag::O_CLOEXEC;
    let open = |name: &String| {
        let descriptor = openat(&home.descriptor, name.as_str(), flags, Mode::empty())
            .at(Step::Slot, format!("open room `{name}`"))?;
        Ok(Room {
            name: name.clone(),
            descriptor,
            seen_as: home.seen_as.join(name),
        })
    };
    names.iter().map(open).collect()
}

/// Where the room for temporary files is, or will be for each build of a slot.
pub(crate) fn temporary(assignment: &Assignment, rooms: &[Room]) -> Option<PathBuf> {
    const NAME: &str = "t";
    if let (Some(slot), Some(room)) = (&assignment.slot, rooms.first()) {
        let is_moved_in = slot.rooms.iter().any(|name| name == NAME);
        return is_moved_in.then(|| room.seen_as.join(NAME));
    }
    let room = rooms.iter().find(|room| room.name == NAME)?;
    Some(room.seen_as.clone())
}

/// Finds a room by its letter.
pub(crate) fn find<'a>(rooms: &'a [Room], name: &str) -> Result<&'a Room, Fault> {
    rooms
        .iter()
        .find(|room| room.name == name)
        .ok_or_else(|| crate::error::fault(Step::Assignment, format!("there is no room `{name}`")))
}
