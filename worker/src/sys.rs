//! The only file of the worker with `unsafe`: calls that have no safe wrapper, each with its reason.
#![expect(unsafe_code, reason = "the one door to raw system calls of this crate")]

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal};
use nix::sys::wait::WaitStatus;
use nix::unistd::{ForkResult, Pid};

/// Which side of a fork this is.
pub(crate) enum Fork {
    /// The new process.
    Child,
    /// The old one.
    Parent(Pid),
}

fn checked(result: libc::c_long) -> io::Result<libc::c_long> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

/// Forks. The worker has one thread ([`crate::confine`] asserts it), so the child may do anything.
pub(crate) fn fork() -> nix::Result<Fork> {
    // SAFETY: fork(2) is unsound only where another thread may hold a lock at that moment; this
    // process has exactly one thread.
    match unsafe { nix::unistd::fork() }? {
        ForkResult::Child => Ok(Fork::Child),
        ForkResult::Parent { child } => Ok(Fork::Parent(child)),
    }
}

/// Ends this process at once, without running what belongs to the process it was forked from.
pub(crate) fn exit_now(code: i32) -> ! {
    // SAFETY: _exit(2) takes no pointers and does not return.
    unsafe { libc::_exit(code) }
}

/// Marks every descriptor from `first` up close-on-exec.
pub(crate) fn cloexec_from(first: u32) -> io::Result<()> {
    // SAFETY: close_range(2) takes no pointers; with CLOSE_RANGE_CLOEXEC nothing is closed now, so
    // no owned descriptor becomes stale.
    let result = unsafe {
        libc::syscall(
            libc::SYS_close_range,
            first,
            libc::c_uint::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        )
    };
    checked(result).map(drop)
}

/// Closes every descriptor from `first` up.
///
/// To be called only before this process has opened any descriptor of its own.
pub(crate) fn close_from(first: u32) -> io::Result<()> {
    // SAFETY: close_range(2) takes no pointers; at this point nothing in this process owns a
    // descriptor above the three standard ones (first lines of `run::main`).
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, 0) };
    checked(result).map(drop)
}

/// Closes every descriptor from 3 up but those in `keep`, whatever owns them in this process.
///
/// For a child that works on with `keep` alone and ends by [`exit_now`], so that no owner of a
/// closed descriptor is ever used or dropped.
pub(crate) fn close_all_but(keep: &mut [RawFd]) -> io::Result<()> {
    keep.sort_unstable();
    let mut first = 3;
    for kept in keep
        .iter()
        .filter_map(|fd| libc::c_uint::try_from(*fd).ok())
    {
        if kept > first {
            // SAFETY: close_range(2) takes no pointers; see the contract above.
            checked(unsafe { libc::syscall(libc::SYS_close_range, first, kept - 1, 0) })?;
        }
        first = first.max(kept + 1);
    }
    // SAFETY: as above.
    checked(unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, 0) }).map(drop)
}

/// Puts a copy of `from` at number `at`, not close-on-exec. For a child that is about to exec.
pub(crate) fn place(from: BorrowedFd<'_>, at: RawFd) -> io::Result<()> {
    // SAFETY: dup2(2) takes no pointers; the child that calls this owns nothing at `at` that it
    // uses afterwards (it execs or exits next).
    let result = unsafe { libc::dup2(from.as_raw_fd(), at) };
    checked(result.into()).map(drop)
}

/// Makes a terminal the one of this session, which has none.
pub(crate) fn take_terminal(terminal: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: TIOCSCTTY takes a plain number, no pointer; 0 steals the terminal from nobody.
    let result = unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCSCTTY, 0) };
    checked(result.into()).map(drop)
}

/// Takes ownership of a descriptor that the kernel has just made for us.
pub(crate) fn adopt(descriptor: RawFd) -> OwnedFd {
    // SAFETY: called only with a number that a system call returned a moment ago and that nothing
    // else owns (SCM_RIGHTS, pidfds).
    unsafe { OwnedFd::from_raw_fd(descriptor) }
}

/// Asks the kernel for its Landlock ABI (`flags` 1) or its fixed errata (`flags` 2).
pub(crate) fn landlock_version(flags: u32) -> io::Result<u32> {
    // SAFETY: landlock_create_ruleset(2) with a null attribute, size 0 and a query flag only
    // returns a number.
    let result = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::null::<libc::c_void>(),
            0_usize,
            flags,
        )
    };
    checked(result).map(|number| u32::try_from(number).unwrap_or(0))
}

/// Calls prctl(2) with plain numbers.
fn prctl(option: libc::c_int, argument: libc::c_ulong) -> io::Result<()> {
    const NONE: libc::c_ulong = 0;
    // SAFETY: every option used in this file takes plain numbers, no pointers.
    let result = unsafe { libc::prctl(option, argument, NONE, NONE, NONE) };
    checked(result.into()).map(drop)
}

/// Removes one capability from the bounding set.
pub(crate) fn drop_bounding(capability: u32) -> io::Result<()> {
    prctl(libc::PR_CAPBSET_DROP, capability.into())
}

/// Empties the ambient set.
pub(crate) fn clear_ambient() -> io::Result<()> {
    prctl(
        libc::PR_CAP_AMBIENT,
        libc::PR_CAP_AMBIENT_CLEAR_ALL as libc::c_ulong,
    )
}

/// Makes uid 0 a uid like any other, for good (`SECBIT_NOROOT` and its lock).
pub(crate) fn root_is_nobody() -> io::Result<()> {
    prctl(libc::PR_SET_SECUREBITS, 0b11)
}

/// Empties the effective, permitted and inheritable sets.
pub(crate) fn drop_capabilities() -> io::Result<()> {
    #[repr(C)]
    struct Header {
        version: u32,
        pid: libc::c_int,
    }
    /// Version 3 of the interface: two words for each of three sets.
    const VERSION_3: u32 = 0x2008_0522;
    let header = Header {
        version: VERSION_3,
        pid: 0,
    };
    let none = [0_u32; 6];
    // SAFETY: capset(2) reads a header of two ints and, for version 3, two structs of three u32;
    // both live on this stack for the whole call.
    let result = unsafe { libc::syscall(libc::SYS_capset, &raw const header, none.as_ptr()) };
    checked(result).map(drop)
}

/// Adds to the nice value of this process (of one thread, where it has one only); the kernel stops at 19.
pub(crate) fn become_nicer(by: i32) -> io::Result<()> {
    // A value of -1 is also an answer.
    Errno::clear();
    // SAFETY: nice(2) takes a plain number.
    let value = unsafe { libc::nice(by) };
    match Errno::last_raw() {
        0 => Ok(()),
        errno if value == -1 => Err(io::Error::from_raw_os_error(errno)),
        _ => Ok(()),
    }
}

/// Adds attributes (`MOUNT_ATTR_*`) to a mount, and with `recursive` to all below it.
pub(crate) fn harden_mount(path: &CStr, attributes: u64, recursive: bool) -> io::Result<()> {
    let change = libc::mount_attr {
        attr_set: attributes,
        attr_clr: 0,
        propagation: 0,
        userns_fd: 0,
    };
    let flags = if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: mount_setattr(2) reads a NUL-terminated path and a mount_attr of the size given; both
    // outlive the call.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            path.as_ptr(),
            flags,
            &raw const change,
            size_of::<libc::mount_attr>(),
        )
    };
    checked(result).map(drop)
}

/// Gives SIGPIPE and SIGCHLD back their default action and unblocks every signal, as a program
/// expects to find them after exec.
pub(crate) fn plain_signals() -> nix::Result<()> {
    let plain = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    for signal in [Signal::SIGPIPE, Signal::SIGCHLD] {
        // SAFETY: SIG_DFL installs no handler of ours.
        unsafe { nix::sys::signal::sigaction(signal, &plain) }?;
    }
    SigSet::all().thread_unblock()
}

/// Sets access and modification time of what `pinned` holds; both to now where `times` is `None`.
pub(crate) fn set_times(pinned: &OwnedFd, times: Option<&[(i64, i64); 2]>) -> nix::Result<()> {
    let both = times.map(|pair| pair.map(|(tv_sec, tv_nsec)| libc::timespec { tv_sec, tv_nsec }));
    let pointer = both.as_ref().map_or(std::ptr::null(), |both| both.as_ptr());
    // SAFETY: the path is an empty NUL-terminated literal, and `times` is null or two timespecs
    // that outlive the call.
    let result = unsafe {
        libc::utimensat(
            pinned.as_raw_fd(),
            c"".as_ptr(),
            pointer,
            libc::AT_EMPTY_PATH,
        )
    };
    nix::errno::Errno::result(result).map(drop)
}

/// Sets an extended attribute of what `path` leads to.
pub(crate) fn set_attribute(path: &CStr, name: &CStr, value: &[u8], flags: i32) -> nix::Result<()> {
    // SAFETY: both strings are NUL-terminated and `value` is as long as is said.
    let result = unsafe {
        libc::setxattr(
            path.as_ptr(),
            name.as_ptr(),
            value.as_ptr().cast(),
            value.len(),
            flags,
        )
    };
    nix::errno::Errno::result(result).map(drop)
}

/// Removes an extended attribute of what `path` leads to.
pub(crate) fn remove_attribute(path: &CStr, name: &CStr) -> nix::Result<()> {
    // SAFETY: both strings are NUL-terminated.
    let result = unsafe { libc::removexattr(path.as_ptr(), name.as_ptr()) };
    nix::errno::Errno::result(result).map(drop)
}

/// Waits for a child that has ended, without blocking, and tells the largest resident set, in KiB, of it
/// and of those that it has waited for.
pub(crate) fn take_ended() -> nix::Result<(WaitStatus, u64)> {
    let mut status = 0;
    // SAFETY: all zeroes is a value of this struct of plain numbers.
    let mut used: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: wait4(2) writes an int and an rusage, both of which outlive the call.
    let pid =
        Errno::result(unsafe { libc::wait4(-1, &raw mut status, libc::WNOHANG, &raw mut used) })?;
    if pid == 0 {
        return Ok((WaitStatus::StillAlive, 0));
    }
    let status = WaitStatus::from_raw(Pid::from_raw(pid), status)?;
    Ok((status, u64::try_from(used.ru_maxrss).unwrap_or(0)))
}

/// What is set for an open file and shared by all who hold it, and what is set for a pipe. What one of
/// these can not be asked for is what it answers.
pub(crate) fn shared_state(descriptor: RawFd) -> Vec<libc::c_int> {
    let mut hint = 0_u64;
    // SAFETY: F_GET_RW_HINT (fcntl(2)) writes one u64, which outlives the call.
    let hinted = unsafe { libc::fcntl(descriptor, F_GET_RW_HINT, &raw mut hint) };
    let plain = [libc::F_GETFL, libc::F_GETPIPE_SZ, libc::F_GETOWN, F_GETSIG];
    // SAFETY: these commands take no argument and only return a number.
    let plain = plain.map(|command| unsafe { libc::fcntl(descriptor, command) });
    let hint = libc::c_int::try_from(hint).unwrap_or(-1);
    [hinted, hint].into_iter().chain(plain).collect()
}

/// Asks for the signal that tells of an open file, and for how long what is written to it lives (fcntl(2)).
const F_GETSIG: libc::c_int = 11;
const F_GET_RW_HINT: libc::c_int = 1024 + 11;

/// Holds a process by a descriptor.
pub(crate) fn open_process(pid: i32) -> io::Result<OwnedFd> {
    open_pidfd(pid, 0)
}

fn open_pidfd(pid: i32, flags: libc::c_uint) -> io::Result<OwnedFd> {
    // SAFETY: pidfd_open(2) takes plain numbers; what it returns is new and ours.
    owned(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, flags) })
}

/// Owns the descriptor that a call has returned, or tells its error.
fn owned(result: libc::c_long) -> io::Result<OwnedFd> {
    let descriptor = checked(result)?;
    RawFd::try_from(descriptor)
        .map(adopt)
        .map_err(io::Error::other)
}

/// Signals the process that `pidfd` holds; without a signal, only asks whether that were allowed.
pub(crate) fn signal_process(pidfd: &OwnedFd, signal: Option<Signal>) -> io::Result<()> {
    let number = signal.map_or(0, |signal| signal as libc::c_int);
    let information = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: pidfd_send_signal(2) takes plain numbers and may be given no information.
    let result = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            pidfd.as_raw_fd(),
            number,
            information,
            0,
        )
    };
    checked(result).map(drop)
}

/// Takes a copy of descriptor `number` of the thread `pid`.
pub(crate) fn copy_descriptor(pid: i32, number: i32) -> io::Result<OwnedFd> {
    // A kernel before 6.9 holds whole processes only.
    let pidfd = open_pidfd(pid, libc::PIDFD_THREAD).or_else(|_| open_process(pid))?;
    // SAFETY: pidfd_getfd(2) takes plain numbers; what it returns is new and ours.
    owned(unsafe { libc::syscall(libc::SYS_pidfd_getfd, pidfd.as_raw_fd(), number, 0) })
}
