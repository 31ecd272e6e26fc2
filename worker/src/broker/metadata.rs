//! Changes of file metadata, carried out by the broker on inodes of the build's own rooms only.
//!
//! Landlock does not cover chmod, chown, utime and xattr; at `confined` this is what keeps a build
//! from changing the mode of any file of its uid.

use std::ffi::CString;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use filter::{Listener, Request};
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags};
use nix::sys::stat::{FchmodatFlags, Mode, fchmodat};
use nix::unistd::{Gid, Uid, fchownat};

use super::Answer;
use super::change::{Change, understand};
use super::pin::{below, own_link, pin};
use crate::sys;

/// Carries out or refuses one change.
pub(super) fn answer(request: &Request, listener: &Listener, rooms: &[PathBuf]) -> Answer {
    let (named, change) = match understand(request) {
        Ok(understood) => understood,
        Err(errno) => return Answer::Fail(errno),
    };
    let pinned = match pin(request, &named) {
        Ok(pinned) => pinned,
        Err(errno) => return Answer::Fail(errno),
    };
    // What was read belongs to the caller only if it is still waiting for this answer.
    if !listener.is_valid(request.id) {
        return Answer::Fail(Errno::EINTR);
    }
    if let Err(target) = below(&pinned, rooms) {
        return Answer::Refuse {
            errno: Errno::EPERM,
            target,
        };
    }
    match carry_out(&pinned, &change) {
        Ok(()) => Answer::Done,
        Err(errno) => Answer::Fail(errno),
    }
}

fn carry_out(pinned: &OwnedFd, change: &Change) -> Result<(), Errno> {
    let link = own_link(pinned);
    let path = || CString::new(link.as_os_str().as_bytes()).map_err(|_| Errno::EINVAL);
    match change {
        Change::Mode(bits) => {
            let mode = Mode::from_bits_truncate(bits & 0o1777);
            fchmodat(AT_FDCWD, &link, mode, FchmodatFlags::FollowSymlink)
        }
        Change::Owner(uid, gid) => {
            let keep = u32::MAX;
            let uid = (*uid != keep).then(|| Uid::from_raw(*uid));
            let gid = (*gid != keep).then(|| Gid::from_raw(*gid));
            fchownat(pinned, "", uid, gid, AtFlags::AT_EMPTY_PATH)
        }
        Change::Times(times) => sys::set_times(pinned, times.as_ref()),
        Change::SetAttribute { name, value, flags } => {
            let name = CString::new(name.as_slice()).map_err(|_| Errno::EINVAL)?;
            sys::set_attribute(&path()?, &name, value, *flags)
        }
        Change::RemoveAttribute { name } => {
            let name = CString::new(name.as_slice()).map_err(|_| Errno::EINVAL)?;
            sys::remove_attribute(&path()?, &name)
        }
    }
}
