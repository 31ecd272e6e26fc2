//! Connections to unix stream sockets of the build's own: the broker connects, and its socket takes
//! the place of the caller's.
//!
//! What is connected to is pinned first, below the rooms and through no link, so that a name that
//! changes its meaning meanwhile changes nothing. Before the connection is handed over, whoever
//! listens is shown to belong to the build. A full backlog is tried again later; nothing here waits.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fs;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use filter::{Listener, Request};
use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, open, openat2};
use nix::sys::socket::{UnixAddr, connect, getsockopt, sockopt};
use nix::sys::stat::{Mode, SFlag, fstat};

use super::Answer;
use super::address::Address;
use super::caller::CallersSocket;
use super::pin::{below, cwd_of, own_link};
use crate::confine::Boundary;
use crate::sys;

/// Callers that wait for room in a backlog at most; others are told to try again.
const MOST_WAITING: usize = 64;

/// A room under one of its names.
struct Floor {
    descriptor: OwnedFd,
    seen_as: PathBuf,
    /// The name is also one of the host's, where something else may be meant.
    is_ambiguous: bool,
}

impl Floor {
    fn open(room: &Path, seen_as: &Path) -> nix::Result<Self> {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        Ok(Self {
            descriptor: open(room, flags, Mode::empty())?,
            seen_as: seen_as.to_owned(),
            is_ambiguous: room != seen_as,
        })
    }
}

/// Where a connection goes.
enum Goal {
    /// To this very socket file.
    Pinned(OwnedFd),
    /// To a name without a file.
    Abstract(UnixAddr),
}

/// A caller whose goal has no room in its backlog.
struct Waiting {
    request: Request,
    socket: CallersSocket,
    goal: Goal,
    address: Address,
}

/// Makes the connections of one build.
pub(super) struct Connector {
    floors: Vec<Floor>,
    boundary: Boundary,
    waiting: VecDeque<Waiting>,
}

impl Connector {
    /// Opens the rooms as the build sees them.
    pub(super) fn new(rooms: &[PathBuf], boundary: Boundary) -> nix::Result<Self> {
        let mut floors = Vec::new();
        // At `ns` the worker itself has made `/tmp` another name of a room.
        let alias = fs::read_link("/tmp").ok();
        for room in rooms {
            floors.push(Floor::open(room, room)?);
            if alias.as_ref() == Some(room) {
                floors.push(Floor::open(room, Path::new("/tmp"))?);
            }
        }
        Ok(Self {
            floors,
            boundary,
            waiting: VecDeque::new(),
        })
    }

    /// Whether a caller waits, so that [`Connector::retry`] shall be called soon.
    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Answers a connect; `None` leaves the caller waiting.
    pub(super) fn answer(
        &mut self,
        request: &Request,
        address: Address,
        listener: &Listener,
    ) -> Option<Answer> {
        let goal = match self.goal(request, &address) {
            Ok(goal) => goal,
            Err(answer) => return Some(answer),
        };
        let socket = match CallersSocket::of(request) {
            Ok(socket) => socket,
            Err(errno) => return Some(Answer::Fail(errno)),
        };
        // What was read belongs to the caller only if it is still waiting for this answer.
        if !listener.is_valid(request.id) {
            return Some(Answer::Fail(Errno::EINTR));
        }
        self.attempt(
            Waiting {
                request: *request,
                socket,
                goal,
                address,
            },
            listener,
        )
    }

    /// Tries again for everybody who waits.
    pub(super) fn retry(&mut self, listener: &Listener) -> Vec<(Request, Answer)> {
        let mut answers = Vec::new();
        for _ in 0..self.waiting.len() {
            let Some(waiting) = self.waiting.pop_front() else {
                break;
            };
            let request = waiting.request;
            if !listener.is_valid(request.id) {
                continue;
            }
            if let Some(answer) = self.attempt(waiting, listener) {
                answers.push((request, answer));
            }
        }
        answers
    }

    /// Finds what an address means to the caller, and pins it.
    fn goal(&self, request: &Request, address: &Address) -> Result<Goal, Answer> {
        let refused = || Answer::Refuse {
            errno: Errno::EACCES,
            target: address.to_string(),
        };
        if self.boundary == Boundary::Descent {
            return Err(refused());
        }
        match address {
            Address::Path(path) => {
                let path = self.whole(request, path).ok_or_else(refused)?;
                let (floor, name) = self.floor_of(&path).ok_or_else(refused)?;
                match pin_socket(floor, name) {
                    // A link, or a way out.
                    Err(Errno::ELOOP | Errno::EXDEV) => Err(refused()),
                    Err(errno @ Errno::ENOENT) if floor.is_ambiguous => Err(Answer::Refuse {
                        errno,
                        target: address.to_string(),
                    }),
                    Err(errno) => Err(Answer::Fail(errno)),
                    Ok(pinned) => Ok(Goal::Pinned(pinned)),
                }
            }
            Address::Abstract(name) => UnixAddr::new_abstract(name)
                .map(Goal::Abstract)
                .map_err(Answer::Fail),
            Address::Other(_) => Err(refused()),
        }
    }

    /// Makes a path whole: from the caller's working folder, if that lies in a room, and without dots.
    fn whole(&self, request: &Request, path: &[u8]) -> Option<PathBuf> {
        let path = Path::new(OsStr::from_bytes(path));
        if path.is_absolute() {
            return Some(without_dots(path));
        }
        let rooms: Vec<_> = self.floors.iter().map(|one| one.seen_as.clone()).collect();
        let folder = below(&cwd_of(request.pid).ok()?, &rooms).ok()?;
        Some(without_dots(&folder.join(path)))
    }

    fn floor_of<'a>(&'a self, path: &'a Path) -> Option<(&'a Floor, &'a Path)> {
        self.floors
            .iter()
            .find_map(|floor| Some((floor, path.strip_prefix(&floor.seen_as).ok()?)))
    }

    /// Connects and hands over; who finds a full backlog waits if it would have waited.
    fn attempt(&mut self, waiting: Waiting, listener: &Listener) -> Option<Answer> {
        match self.connected(&waiting) {
            Ok(twin) => Some(hand_over(&waiting, &twin, listener)),
            Err(Errno::EAGAIN) if waiting.socket.blocks() && self.waiting.len() < MOST_WAITING => {
                self.waiting.push_back(waiting);
                None
            }
            // A scope in the way, or a stranger who listens.
            Err(Errno::EPERM) => Some(Answer::Refuse {
                errno: Errno::EACCES,
                target: waiting.address.to_string(),
            }),
            Err(errno) => Some(Answer::Fail(errno)),
        }
    }

    fn connected(&self, waiting: &Waiting) -> Result<OwnedFd, Errno> {
        let twin = waiting.socket.twin()?;
        let address = match &waiting.goal {
            Goal::Pinned(pinned) => UnixAddr::new(&own_link(pinned))?,
            Goal::Abstract(address) => *address,
        };
        connect(twin.as_raw_fd(), &address)?;
        if !self.is_own(&twin)? {
            return Err(Errno::EPERM);
        }
        waiting.socket.finish(&twin)?;
        Ok(twin)
    }

    /// Whether the process that listens at the far end belongs to the build.
    fn is_own(&self, twin: &OwnedFd) -> Result<bool, Errno> {
        match self.boundary {
            // 0 is what has no number here.
            Boundary::PidNamespace => Ok(getsockopt(twin, sockopt::PeerCredentials)?.pid() != 0),
            // Held by a descriptor, so that a number given out anew deceives nobody. A listener that
            // has ended can not be shown to have been ours.
            Boundary::Scope => Ok(getsockopt(twin, sockopt::PeerPidfd)
                .is_ok_and(|pidfd| sys::signal_process(&pidfd, None).is_ok())),
            // A name in `/proc` proves nothing of a process that may have ended.
            Boundary::Descent => Ok(false),
        }
    }
}

/// Puts the connected twin in the place of the caller's socket.
fn hand_over(waiting: &Waiting, twin: &OwnedFd, listener: &Listener) -> Answer {
    let socket = &waiting.socket;
    let replaced = listener.replace_descriptor(
        waiting.request.id,
        twin.as_fd(),
        socket.number,
        socket.closes_on_exec(),
    );
    match replaced {
        Ok(()) => Answer::Done,
        Err(error) => Answer::Fail(error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)),
    }
}

/// Pins the socket file called `name` below `floor`, through no link.
fn pin_socket(floor: &Floor, name: &Path) -> Result<OwnedFd, Errno> {
    let how = OpenHow::new()
        .flags(OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC)
        .resolve(
            ResolveFlag::RESOLVE_BENEATH
                | ResolveFlag::RESOLVE_NO_SYMLINKS
                | ResolveFlag::RESOLVE_NO_MAGICLINKS,
        );
    let pinned = openat2(&floor.descriptor, name, how)?;
    let kind = SFlag::from_bits_truncate(fstat(&pinned)?.st_mode) & SFlag::S_IFMT;
    if kind == SFlag::S_IFLNK {
        Err(Errno::ELOOP)
    } else if kind == SFlag::S_IFSOCK {
        Ok(pinned)
    } else {
        Err(Errno::ECONNREFUSED)
    }
}

/// Takes `.` and `..` out of a path. No link is followed afterwards, so this changes no meaning that
/// is granted.
fn without_dots(path: &Path) -> PathBuf {
    let mut whole = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::Normal(name) => whole.push(name),
            Component::ParentDir => drop(whole.pop()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_lead_nowhere_but_up_to_the_root() {
        let plain = |path: &str| without_dots(Path::new(path)).display().to_string();
        assert_eq!(plain("/b/t/./x"), "/b/t/x");
        assert_eq!(plain("/b/t/../../run/x"), "/run/x");
        assert_eq!(plain("/../../x"), "/x");
    }
}
