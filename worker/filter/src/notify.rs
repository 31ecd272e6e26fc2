//! The listener's side of a notifying filter: receive a call, decide, answer. Not here: the decision
//! (the worker's broker) and the raw ioctls (`sys`).
//!
//! A caller can rewrite its memory at any time. So: copy what an argument points to with
//! [`read_memory`](crate::read_memory), then ask [`Listener::is_valid`] (the pid may have been given
//! to another process meanwhile), decide on the copy, and act with descriptors of one's own. If the
//! listener's holder dies, the kernel answers all its calls with `ENOSYS`.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::arch::Arch;
use crate::sys;

/// A call that a filter of this crate can leave to its listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the kernel's call of that name")]
pub enum Call {
    Socket,
    SocketPair,
    Connect,
    Chmod,
    Fchmod,
    Fchmodat,
    Fchmodat2,
    Chown,
    Lchown,
    Fchown,
    Fchownat,
    Utime,
    Utimes,
    Futimesat,
    Utimensat,
    Setxattr,
    Lsetxattr,
    Fsetxattr,
    Setxattrat,
    Removexattr,
    Lremovexattr,
    Fremovexattr,
    Removexattrat,
    Open,
    Openat,
    Creat,
    Execve,
    Execveat,
    /// No filter of this crate notifies it; refuse it.
    Other(i32),
}

impl Call {
    const NAMED: [(Call, &'static str); 28] = [
        (Call::Socket, "socket"),
        (Call::SocketPair, "socketpair"),
        (Call::Connect, "connect"),
        (Call::Chmod, "chmod"),
        (Call::Fchmod, "fchmod"),
        (Call::Fchmodat, "fchmodat"),
        (Call::Fchmodat2, "fchmodat2"),
        (Call::Chown, "chown"),
        (Call::Lchown, "lchown"),
        (Call::Fchown, "fchown"),
        (Call::Fchownat, "fchownat"),
        (Call::Utime, "utime"),
        (Call::Utimes, "utimes"),
        (Call::Futimesat, "futimesat"),
        (Call::Utimensat, "utimensat"),
        (Call::Setxattr, "setxattr"),
        (Call::Lsetxattr, "lsetxattr"),
        (Call::Fsetxattr, "fsetxattr"),
        (Call::Setxattrat, "setxattrat"),
        (Call::Removexattr, "removexattr"),
        (Call::Lremovexattr, "lremovexattr"),
        (Call::Fremovexattr, "fremovexattr"),
        (Call::Removexattrat, "removexattrat"),
        (Call::Open, "open"),
        (Call::Openat, "openat"),
        (Call::Creat, "creat"),
        (Call::Execve, "execve"),
        (Call::Execveat, "execveat"),
    ];

    /// Returns the call's name in the kernel's words, `unknown` if the table does not have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        if let Call::Other(number) = self {
            let known = u32::try_from(number)
                .ok()
                .and_then(|n| Arch::current().name_of(n));
            return known.unwrap_or("unknown");
        }
        let named = Call::NAMED.iter().find(|(call, _)| *call == self);
        named.map_or("unknown", |(_, name)| *name)
    }

    /// Returns the call behind a number of an architecture.
    pub(crate) fn from_number(arch: Arch, number: i32) -> Call {
        let name = u32::try_from(number)
            .ok()
            .and_then(|number| arch.name_of(number));
        let named = Call::NAMED.iter().find(|(_, known)| Some(*known) == name);
        named.map_or(Call::Other(number), |(call, _)| *call)
    }
}

/// A call that waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// Names the waiting call towards the kernel.
    pub id: u64,
    /// The calling thread as the pid namespace of the receiver sees it; 0 if it does not.
    pub pid: i32,
    /// What it calls.
    pub call: Call,
    /// The argument registers as they were, upper halves included; the kernel would drop those of
    /// parameters that are `int`.
    pub arguments: [u64; 6],
}

/// The end of a filter at which its calls arrive. Readable when a call waits; hung up when no process
/// behind the filter is left.
#[derive(Debug)]
pub struct Listener(OwnedFd);

impl Listener {
    /// Wraps the descriptor that [`install`](crate::install) returned.
    #[must_use]
    pub fn new(descriptor: OwnedFd) -> Listener {
        sys::wake_at_once(descriptor.as_fd());
        Listener(descriptor)
    }

    /// Takes the next waiting call, blocking until there is one; poll first to avoid that.
    ///
    /// `None`: a signal interrupted the wait, or the caller was gone before it was taken.
    ///
    /// # Errors
    /// What the kernel answers otherwise, `EBADF` for a descriptor that is no listener's.
    pub fn receive(&self) -> io::Result<Option<Request>> {
        match sys::receive(self.0.as_fd()) {
            Ok(raw) => Ok(Some(Request {
                id: raw.id,
                pid: raw.pid.cast_signed(),
                call: Call::from_number(Arch::current(), raw.data.nr),
                arguments: raw.data.args,
            })),
            Err(error) => match error.raw_os_error() {
                Some(libc::EINTR | libc::ENOENT | libc::EAGAIN) => Ok(None),
                _ => Err(error),
            },
        }
    }

    /// Returns whether the call still waits. Ask after reading its memory and before believing it.
    #[must_use]
    pub fn is_valid(&self, id: u64) -> bool {
        sys::is_valid(self.0.as_fd(), id)
    }

    /// Lets the call fail with an errno. A value that is none (zero or less) becomes `EPERM`.
    ///
    /// # Errors
    /// `EINPROGRESS` if it was answered before. A caller that is gone is no error, here and below.
    pub fn refuse(&self, id: u64, errno: i32) -> io::Result<()> {
        let errno = if errno > 0 { errno } else { libc::EPERM };
        self.send(libc::seccomp_notif_resp {
            id,
            val: 0,
            error: -errno,
            flags: 0,
        })
    }

    /// Lets the call return a value without having been carried out.
    ///
    /// # Errors
    /// As [`Listener::refuse`].
    pub fn answer(&self, id: u64, value: i64) -> io::Result<()> {
        self.send(libc::seccomp_notif_resp {
            id,
            val: value,
            error: 0,
            flags: 0,
        })
    }

    /// Lets the kernel carry the call out after all. Only for calls whose safety does not hang on
    /// what a pointer points to: the caller may rewrite that until the kernel reads it.
    ///
    /// # Errors
    /// As [`Listener::refuse`].
    pub fn proceed(&self, id: u64) -> io::Result<()> {
        let flags = libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32;
        self.send(libc::seccomp_notif_resp {
            id,
            val: 0,
            error: 0,
            flags,
        })
    }

    /// Puts a copy of `source` in the place of the caller's descriptor `target`. The call still
    /// waits and wants an answer.
    ///
    /// # Errors
    /// `ENOENT` if the caller is gone, `EBADF` if `target` is no descriptor it could have.
    pub fn replace_descriptor(
        &self,
        id: u64,
        source: BorrowedFd<'_>,
        target: i32,
        cloexec: bool,
    ) -> io::Result<()> {
        let target =
            u32::try_from(target).map_err(|_| io::Error::from_raw_os_error(libc::EBADF))?;
        sys::replace_descriptor(self.0.as_fd(), id, source, target, cloexec)
    }

    fn send(&self, response: libc::seccomp_notif_resp) -> io::Result<()> {
        match sys::send(self.0.as_fd(), response) {
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(()),
            result => result,
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
