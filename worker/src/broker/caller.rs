//! The socket of a caller as far as its replacement has to be like it.
//!
//! `/proc/PID/fdinfo` tells the flags of the descriptor everywhere. What else a socket can be set to
//! shows only in a copy of it, which a container's filter does not let even an ancestor take: there
//! the replacement has the kernel's defaults.

use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};

use filter::Request;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, UnixAddr, getpeername, getsockname, getsockopt, setsockopt,
    socket, sockopt,
};

use crate::sys;

/// The socket that a call of connect names.
pub(super) struct CallersSocket {
    /// Its number in the caller.
    pub(super) number: i32,
    blocks: bool,
    closes_on_exec: bool,
    /// A copy of it, where the host lets us have one.
    copy: Option<OwnedFd>,
}

impl CallersSocket {
    /// Looks at the socket that `request` names.
    pub(super) fn of(request: &Request) -> Result<Self, Errno> {
        #[expect(clippy::cast_possible_truncation, reason = "the kernel reads an int")]
        let number = request.arguments[0] as i32;
        let pid = request.pid;
        let target = fs::read_link(format!("/proc/{pid}/fd/{number}")).map_err(|_| Errno::EBADF)?;
        if !target
            .as_os_str()
            .as_encoded_bytes()
            .starts_with(b"socket:")
        {
            return Err(Errno::ENOTSOCK);
        }
        let told =
            fs::read_to_string(format!("/proc/{pid}/fdinfo/{number}")).map_err(|_| Errno::EBADF)?;
        let flags = flags(&told).ok_or(Errno::EBADF)?;
        let found = Self {
            number,
            blocks: !flags.contains(OFlag::O_NONBLOCK),
            closes_on_exec: flags.contains(OFlag::O_CLOEXEC),
            copy: sys::copy_descriptor(pid, number).ok(),
        };
        found.check().map(|()| found)
    }

    /// Refuses what the kernel would refuse.
    fn check(&self) -> Result<(), Errno> {
        let Some(copy) = &self.copy else {
            return Ok(());
        };
        let is_local = getsockname::<UnixAddr>(copy.as_raw_fd()).is_ok();
        if !is_local || getsockopt(copy, sockopt::SockType)? != SockType::Stream {
            return Err(Errno::EPROTOTYPE);
        }
        if getpeername::<UnixAddr>(copy.as_raw_fd()).is_ok() {
            return Err(Errno::EISCONN);
        }
        Ok(())
    }

    /// Whether the caller would wait for room in a backlog.
    pub(super) fn blocks(&self) -> bool {
        self.blocks
    }

    /// Whether the descriptor is closed when its holder execs.
    pub(super) fn closes_on_exec(&self) -> bool {
        self.closes_on_exec
    }

    /// Makes a socket like it, which never blocks until [`CallersSocket::finish`].
    pub(super) fn twin(&self) -> Result<OwnedFd, Errno> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let twin = socket(AddressFamily::Unix, SockType::Stream, flags, None)?;
        if let Some(copy) = &self.copy {
            let credentials = getsockopt(copy, sockopt::PassCred)?;
            setsockopt(&twin, sockopt::PassCred, &credentials)?;
            let timeout = getsockopt(copy, sockopt::ReceiveTimeout)?;
            setsockopt(&twin, sockopt::ReceiveTimeout, &timeout)?;
            let timeout = getsockopt(copy, sockopt::SendTimeout)?;
            setsockopt(&twin, sockopt::SendTimeout, &timeout)?;
            // The kernel doubles what it is told.
            let room = getsockopt(copy, sockopt::SndBuf)? / 2;
            setsockopt(&twin, sockopt::SndBuf, &room)?;
        }
        Ok(twin)
    }

    /// Gives a connected twin the caller's way of blocking.
    pub(super) fn finish(&self, twin: &OwnedFd) -> Result<(), Errno> {
        if self.blocks {
            fcntl(twin, FcntlArg::F_SETFL(OFlag::empty()))?;
        }
        Ok(())
    }
}

/// Reads the line `flags:` of an fdinfo file, an octal number.
fn flags(told: &str) -> Option<OFlag> {
    let word = told
        .lines()
        .find_map(|line| line.strip_prefix("flags:"))?
        .trim();
    i32::from_str_radix(word, 8)
        .ok()
        .map(OFlag::from_bits_truncate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_of_a_descriptor_are_octal() {
        let told = "pos:\t0\nflags:\t02004002\nmnt_id:\t9\n";
        let flags = flags(told).expect("they are told");
        assert!(flags.contains(OFlag::O_NONBLOCK | OFlag::O_CLOEXEC));
        assert_eq!(super::flags("pos:\t0\n"), None);
    }
}
