//! The kernel calls of the filter, the crate's only unsafe code. Not here: any decision.
#![expect(
    unsafe_code,
    reason = "seccomp(2), its ioctls and process_vm_readv(2) have no safe wrapper"
)]

use std::io;
use std::mem;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use crate::emit::Program;

/// Puts the calling thread, and all it starts from now on, behind a filter. The thread must have
/// set `no_new_privs` before; threads that exist already are not covered.
///
/// With `listener` the returned descriptor (close-on-exec) receives the notified calls, and a
/// notified call, once received, can be interrupted by death alone where the kernel knows that
/// (5.19), so that a broker does not do the work of a restarted call twice.
///
/// # Errors
/// `EACCES` without `no_new_privs`; `EBUSY` if a filter in force has a listener already; `EINVAL`
/// where the kernel has no listeners. Nothing is installed then.
pub fn install(program: &Program, listener: bool) -> io::Result<Option<OwnedFd>> {
    if !listener {
        return set_mode_filter(program, 0).map(|_| None);
    }
    let plain = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
    let steady = plain | libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    let descriptor = match set_mode_filter(program, steady) {
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => set_mode_filter(program, plain),
        result => result,
    }?;
    // SAFETY: with NEW_LISTENER a successful seccomp(2) returns a descriptor that it has just made
    // for this process; nothing else knows the number, so it has one owner.
    Ok(Some(unsafe { OwnedFd::from_raw_fd(descriptor) }))
}

fn set_mode_filter(program: &Program, flags: libc::c_ulong) -> io::Result<RawFd> {
    let mut filter: Vec<libc::sock_filter> = program
        .instructions()
        .iter()
        .map(|i| libc::sock_filter {
            code: i.code,
            jt: i.jt,
            jf: i.jf,
            k: i.k,
        })
        .collect();
    let length = u16::try_from(filter.len());
    let len = length.map_err(|_| io::Error::from_raw_os_error(libc::E2BIG))?;
    let description = libc::sock_fprog {
        len,
        filter: filter.as_mut_ptr(),
    };
    // SAFETY: `description` points to `len` instructions in `filter`; both live until the call
    // returns, and the kernel copies and checks the program before it uses it.
    let result = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::c_ulong::from(libc::SECCOMP_SET_MODE_FILTER),
            flags,
            &raw const description,
        )
    };
    RawFd::try_from(result)
        .ok()
        .filter(|r| *r >= 0)
        .ok_or_else(io::Error::last_os_error)
}

/// Has whoever is woken by a listener run at once where the other sleeps (6.6): most of the
/// cost of a call that is answered is that waking. Without it all is the same but slower.
pub(crate) fn wake_at_once(listener: BorrowedFd<'_>) {
    // `SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP`, which libc does not name yet.
    const SYNC_WAKE_UP: libc::c_ulong = 1;
    // SAFETY: the kernel takes the flags as the argument itself, not as a pointer.
    let _ = unsafe {
        libc::ioctl(
            listener.as_raw_fd(),
            libc::SECCOMP_IOCTL_NOTIF_SET_FLAGS,
            SYNC_WAKE_UP,
        )
    };
}

/// Takes the next waiting call from a listener.
pub(crate) fn receive(listener: BorrowedFd<'_>) -> io::Result<libc::seccomp_notif> {
    // SAFETY: `seccomp_notif` is a C struct of integers; all of it may be zero, and the kernel wants
    // it to be.
    let mut notification: libc::seccomp_notif = unsafe { mem::zeroed() };
    // SAFETY: the request's number encodes the size of `seccomp_notif`, so whatever a newer kernel
    // adds, it writes no more than that, and `notification` is ours for the time of the call.
    let result = unsafe {
        libc::ioctl(
            listener.as_raw_fd(),
            libc::SECCOMP_IOCTL_NOTIF_RECV,
            &raw mut notification,
        )
    };
    succeeded(result).map(|()| notification)
}

/// Answers a waiting call.
pub(crate) fn send(
    listener: BorrowedFd<'_>,
    mut response: libc::seccomp_notif_resp,
) -> io::Result<()> {
    // SAFETY: the request's number encodes the size of `seccomp_notif_resp`; the kernel reads that
    // much from `response`, which outlives the call.
    let result = unsafe {
        libc::ioctl(
            listener.as_raw_fd(),
            libc::SECCOMP_IOCTL_NOTIF_SEND,
            &raw mut response,
        )
    };
    succeeded(result)
}

/// Returns whether a call still waits.
pub(crate) fn is_valid(listener: BorrowedFd<'_>, id: u64) -> bool {
    // SAFETY: the kernel reads eight bytes from `id`, which outlives the call.
    let result = unsafe {
        libc::ioctl(
            listener.as_raw_fd(),
            libc::SECCOMP_IOCTL_NOTIF_ID_VALID,
            &raw const id,
        )
    };
    result == 0
}

/// Puts a copy of `source` into the place `target` of a waiting caller's descriptors.
pub(crate) fn replace_descriptor(
    listener: BorrowedFd<'_>,
    id: u64,
    source: BorrowedFd<'_>,
    target: u32,
    cloexec: bool,
) -> io::Result<()> {
    let request = libc::seccomp_notif_addfd {
        id,
        flags: libc::SECCOMP_ADDFD_FLAG_SETFD as u32,
        srcfd: source.as_raw_fd().cast_unsigned(),
        newfd: target,
        newfd_flags: if cloexec {
            libc::O_CLOEXEC.cast_unsigned()
        } else {
            0
        },
    };
    // SAFETY: the request's number encodes the size of `seccomp_notif_addfd`; the kernel reads that
    // much from `request`, which outlives the call, and takes its own reference to `source`, which is
    // open as long as it is borrowed. Descriptors of this process do not change.
    let result = unsafe {
        libc::ioctl(
            listener.as_raw_fd(),
            libc::SECCOMP_IOCTL_NOTIF_ADDFD,
            &raw const request,
        )
    };
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

fn succeeded(result: libc::c_int) -> io::Result<()> {
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// The smallest page of the architectures here, and how many of them one read covers.
const PAGE: usize = 4096;
const PAGES: usize = 64;

/// Copies memory of another process, at most 63 pages (252 KiB) at once. Returns how many bytes were copied:
/// less than asked for if the memory ends earlier, at a page's border.
///
/// The pid may belong to another process by now: ask [`Listener::is_valid`](crate::Listener) after
/// reading and before believing.
///
/// # Errors
/// `EFAULT` if nothing is mapped at the address, `EPERM` if the process hides its memory, `ESRCH` if
/// it is gone.
pub fn read_memory(pid: i32, address: u64, into: &mut [u8]) -> io::Result<usize> {
    let fault = || io::Error::from_raw_os_error(libc::EFAULT);
    let start = usize::try_from(address).map_err(|_| fault())?;
    let wanted = into.len().min((PAGES - 1) * PAGE);
    let end = start.checked_add(wanted).ok_or_else(fault)?;
    // One piece a page: the kernel promises whole pieces only, and the last page may be missing.
    let mut remote = Vec::with_capacity(PAGES);
    let mut at = start;
    while at < end {
        let piece = (PAGE - at % PAGE).min(end - at);
        remote.push(libc::iovec {
            iov_base: at as *mut libc::c_void,
            iov_len: piece,
        });
        at += piece;
    }
    let local = libc::iovec {
        iov_base: into.as_mut_ptr().cast(),
        iov_len: wanted,
    };
    // SAFETY: the kernel writes at most `wanted` bytes, no more than `into` holds, and `into` is
    // borrowed for the call. The addresses in `remote` are never used in this process: the kernel
    // resolves them in the other one and answers EFAULT where nothing is.
    let copied = unsafe {
        libc::process_vm_readv(
            pid,
            &raw const local,
            1,
            remote.as_ptr(),
            remote.len() as libc::c_ulong,
            0,
        )
    };
    usize::try_from(copied).map_err(|_| io::Error::last_os_error())
}
