//! Pairs of sockets between the reaper and a program.

use std::os::fd::{BorrowedFd, OwnedFd};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use protocol::{Fault, Step};

use crate::error::At;

/// Two ends of a socket. Unlike a pipe it can not be opened anew through `/proc/PID/fd`, so no
/// process of the build but the one that inherited an end can speak on it.
pub(crate) fn pair() -> Result<(OwnedFd, OwnedFd), Fault> {
    socketpair(
        AddressFamily::Unix,
        SockType::Stream,
        None,
        SockFlag::SOCK_CLOEXEC,
    )
    .at(Step::Exec, "make a pair of sockets")
}

/// Sees to it that nobody waits at this end of a socket.
pub(crate) fn unblock(ours: BorrowedFd<'_>) -> Result<(), Fault> {
    fcntl(ours, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))
        .at(Step::Exec, "unblock a socket")
        .map(drop)
}
