//! Session, descriptors, umask: nothing of the parent's but the link and the log.

use std::fs;

use nix::sys::stat::{Mode, umask};
use nix::unistd::{dup2_stdin, setsid};
use protocol::{Fault, Step};

use crate::error::{At, fault};
use crate::left_out::{Layer, stands};
use crate::link::Link;
use crate::sys;

/// Begins: closes what was inherited, takes the link over, leaves the terminal's session.
pub(crate) fn begin() -> Result<Link, Fault> {
    if stands(Layer::Closing) {
        sys::close_from(3).at(Step::Session, "close inherited descriptors")?;
    }
    let link = Link::inherited().at(Step::Session, "take the link over")?;
    let null = fs::File::open("/dev/null").at(Step::Session, "open /dev/null")?;
    dup2_stdin(&null).at(Step::Session, "put /dev/null at standard input")?;
    // A worker that leads its session already (started by hand) has no terminal to leave.
    if stands(Layer::Session) {
        match setsid() {
            Ok(_) | Err(nix::errno::Errno::EPERM) => {}
            Err(errno) => return Err(errno).at(Step::Session, "start a session"),
        }
    }
    umask(Mode::from_bits_truncate(0o022));
    Ok(link)
}

/// Asserts that this process has one thread: Landlock and the filter bind threads, and a second
/// one would stay outside.
pub(crate) fn assert_one_thread() -> Result<(), Fault> {
    let threads = fs::read_dir("/proc/self/task")
        .at(Step::Session, "count threads")?
        .count();
    if threads == 1 {
        Ok(())
    } else {
        Err(fault(Step::Session, format!("{threads} threads")))
    }
}
