//! Uid, capabilities, `no_new_privs`: nothing that exec or a set-id file could bring back.

use std::io::ErrorKind;

use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd::{Gid, Uid, fchown, setgroups, setresgid, setresuid};
use protocol::{Fault, Step};

use crate::error::At;
use crate::left_out::{Layer, stands};
use crate::rooms::Room;
use crate::sys;

/// Capabilities that the kernel may know; asking for more answers EINVAL and ends the loop.
const HIGHEST_CAPABILITY: u32 = 63;

/// Gives the rooms to the build's uid. Needs `CAP_CHOWN`; called before the uid changes.
pub(crate) fn hand_over(rooms: &[Room], uid: u32) -> Result<(), Fault> {
    for room in rooms {
        fchown(
            &room.descriptor,
            Some(Uid::from_raw(uid)),
            Some(Gid::from_raw(uid)),
        )
        .at(Step::Uid, format!("give room `{}` to uid {uid}", room.name))?;
    }
    Ok(())
}

/// Becomes the build's uid, with no supplementary group.
fn become_build_uid(uid: u32) -> Result<(), Fault> {
    let (gid, uid) = (Gid::from_raw(uid), Uid::from_raw(uid));
    setgroups(&[]).at(Step::Uid, "leave all groups")?;
    setresgid(gid, gid, gid).at(Step::Uid, format!("become gid {gid}"))?;
    setresuid(uid, uid, uid).at(Step::Uid, format!("become uid {uid}"))?;
    // The change made this process undumpable, which would give its own /proc files to root.
    prctl::set_dumpable(true).at(Step::Uid, "become dumpable again")
}

/// Drops every capability for good and sets `no_new_privs`. Also makes this process the one that
/// orphans fall to.
pub(crate) fn drop_privileges(build_uid: Option<u32>) -> Result<(), Fault> {
    if stands(Layer::Capabilities) {
        forbid_capabilities()?;
    }
    if let Some(uid) = build_uid {
        become_build_uid(uid)?;
    }
    if stands(Layer::Capabilities) {
        sys::drop_capabilities().at(Step::Privileges, doing("drop capabilities"))?;
    }
    prctl::set_no_new_privs().at(Step::Privileges, doing("set no_new_privs"))?;
    prctl::set_child_subreaper(true).at(Step::Privileges, doing("become subreaper"))
}

fn doing(what: &str) -> String {
    format!("{what} before the build")
}

/// Sees to it that no exec brings a capability back, not even one as uid 0.
fn forbid_capabilities() -> Result<(), Fault> {
    match sys::root_is_nobody() {
        Err(error) if error.kind() != ErrorKind::PermissionDenied => {
            return Err(error).at(Step::Privileges, doing("lock uid 0"));
        }
        // Without CAP_SETPCAP nothing can be regained either: no_new_privs below sees to it.
        Ok(()) | Err(_) => {}
    }
    for capability in 0..=HIGHEST_CAPABILITY {
        match sys::drop_bounding(capability).map_err(|error| error.raw_os_error()) {
            Ok(()) => {}
            Err(Some(errno)) if errno == Errno::EINVAL as i32 || errno == Errno::EPERM as i32 => {
                break;
            }
            Err(errno) => {
                return Err(Fault {
                    step: Step::Privileges,
                    errno,
                    doing: doing("drop bounding set"),
                });
            }
        }
    }
    sys::clear_ambient().at(Step::Privileges, doing("clear ambient capabilities"))
}

/// Has this process end with its parent. Only for children of the single-threaded worker: the
/// signal follows the *thread* that forked, and a supervisor's threads come and go.
pub(crate) fn end_with_parent() -> Result<(), Fault> {
    prctl::set_pdeathsig(Signal::SIGKILL).at(Step::Privileges, "end with the parent")
}

/// Hides this process and its `/proc` files from others of its uid. Its descriptors lead out of the
/// new root, and without Landlock nothing else keeps the build from following them.
pub(crate) fn hide() -> Result<(), Fault> {
    prctl::set_dumpable(false).at(Step::Privileges, "hide the reaper")
}
