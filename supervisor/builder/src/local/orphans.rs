//! Orphans: what is left of a build whose reaper vanished. They fall to the supervisor, which is a
//! child subreaper, and are ended by pidfd, so that a number given out anew is never hit.

use std::collections::BTreeSet;
use std::fs;

use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, getpid, pidfd_open, pidfd_send_signal, waitid,
};
use std::os::fd::AsFd;

/// Rounds at most: each ends a generation of orphans.
const ROUNDS: usize = 1000;

/// Ends every child of this process that is not in `live`, and theirs, until none is left. Returns
/// how many were ended.
pub(super) fn end_all(live: &BTreeSet<u32>) -> usize {
    let mut ended = 0;
    for _ in 0..ROUNDS {
        let orphans = children()
            .filter(|pid| !live.contains(pid))
            .collect::<Vec<_>>();
        if orphans.is_empty() {
            break;
        }
        ended += orphans.into_iter().filter_map(end).count();
    }
    ended
}

fn end(pid: u32) -> Option<()> {
    let pid = Pid::from_raw(i32::try_from(pid).ok()?)?;
    let pidfd = pidfd_open(pid, PidfdFlags::empty()).ok()?;
    match pidfd_send_signal(&pidfd, Signal::KILL) {
        Ok(()) | Err(Errno::SRCH) => {}
        Err(_) => return None,
    }
    waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED)
        .ok()
        .map(drop)
}

/// The children of this process, all threads together.
fn children() -> impl Iterator<Item = u32> {
    let own = getpid().as_raw_nonzero().get().unsigned_abs();
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(move |entry| {
            let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            // The name in parentheses may hold anything; what follows the last one does not.
            let parent = stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(1)?;
            (parent.parse() == Ok(own)).then_some(pid)
        })
}
