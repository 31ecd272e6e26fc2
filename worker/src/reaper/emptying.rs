//! The end of a domain, and the proof that it is empty: there is no child left.
//!
//! `kill(-1)` is sent only from a domain whose probe held ([`crate::confine`]) or from the init of
//! a pid namespace: it reaches every process of the build, however it hid, and no other.

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use protocol::{Fault, Step};

use super::descent;
use crate::confine::Boundary;
use crate::error::At;
use crate::left_out::{Layer, stands};

/// Kills everything in the domain but this process and waits until there is no child left. Returns
/// how many processes besides `program` were ended.
pub(crate) fn empty_domain(boundary: Boundary, program: Option<Pid>) -> Result<u32, Fault> {
    let mut killed = 0;
    if !stands(Layer::Reaper) {
        return Ok(killed);
    }
    if boundary == Boundary::Descent {
        descent::end_all(|| reap(WaitPidFlag::WNOHANG, program, &mut killed))?;
    }
    loop {
        if boundary != Boundary::Descent {
            match kill(Pid::from_raw(-1), Signal::SIGKILL) {
                Ok(()) | Err(Errno::ESRCH | Errno::EPERM) => {}
                Err(errno) => return Err(errno).at(Step::Reaper, "end the domain"),
            }
        }
        if reap(WaitPidFlag::empty(), program, &mut killed)? {
            return Ok(killed);
        }
    }
}

/// Waits for one child, or without blocking for all that have ended; `true` if none is left.
fn reap(how: WaitPidFlag, program: Option<Pid>, killed: &mut u32) -> Result<bool, Fault> {
    loop {
        match waitpid(None, Some(how)) {
            Ok(WaitStatus::StillAlive) => return Ok(false),
            Ok(status) if status.pid() == program => {}
            Ok(_) => *killed += 1,
            Err(Errno::ECHILD) => return Ok(true),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno).at(Step::Reaper, "wait for the domain to empty"),
        }
        if how.is_empty() {
            return Ok(false);
        }
    }
}
