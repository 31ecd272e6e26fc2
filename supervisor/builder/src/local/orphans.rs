//! Orphans: what is left of a build whose reaper vanished, or said that nothing is left. They fall to
//! the supervisor, which is a child subreaper, and are ended by pidfd, so that a number given out anew
//! is never hit.

use std::collections::BTreeSet;
use std::fs;
use std::os::fd::AsFd;

use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, getpid, pidfd_open, pidfd_send_signal, waitid,
};

/// Rounds at most: each ends a generation of orphans.
const ROUNDS: usize = 1000;

/// Children that this process had before it had workers: whoever started it by `exec` may have left it
/// some, and those have children of their own.
#[derive(Debug)]
pub(super) struct Inherited {
    children: BTreeSet<u32>,
    /// Whether this process runs programs for the user beside its workers.
    company: bool,
}

impl Inherited {
    /// Looks who is there now.
    pub(super) fn now() -> Self {
        Self {
            children: children(),
            company: false,
        }
    }

    /// From now on there may be children that are no workers, and theirs.
    pub(super) fn expect_company(&mut self) {
        self.company = true;
    }

    /// Whether a child that is no worker is none that a worker left. Where children were inherited, theirs
    /// come here as well; what was started behind a build's filter can not get rid of it.
    fn spares(&self, pid: u32) -> bool {
        let is_ours = || filters(pid) > filters(std::process::id());
        let others = self.company || !self.children.is_empty();
        others && (self.children.contains(&pid) || !is_ours())
    }
}

/// Ends every child of this process that is neither among `live` nor inherited, and theirs, until none
/// is left. Returns how many of them ran.
pub(super) fn end_all(live: &BTreeSet<u32>, inherited: &Inherited) -> usize {
    let mut ended = 0;
    for _ in 0..ROUNDS {
        let orphans = children().into_iter();
        let orphans = orphans.filter(|pid| !live.contains(pid) && !inherited.spares(*pid));
        let orphans = orphans.collect::<Vec<_>>();
        if orphans.is_empty() {
            break;
        }
        let ran = orphans.into_iter().filter_map(end);
        ended += ran.filter(|ran| *ran).count();
    }
    ended
}

/// How many filters a process is behind.
fn filters(pid: u32) -> u32 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let mut lines = status.lines();
    let count = lines.find_map(|line| line.strip_prefix("Seccomp_filters:"));
    count
        .and_then(|count| count.trim().parse().ok())
        .unwrap_or(0)
}

/// Whether a process is over: nothing of it runs, if there is still a line about it at all.
pub(super) fn is_over(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    field(&stat, 0).is_none_or(|state| matches!(state, "Z" | "X"))
}

/// Ends and waits for one; says whether it was still running.
fn end(pid: u32) -> Option<bool> {
    let ran = !is_over(pid);
    let pid = Pid::from_raw(i32::try_from(pid).ok()?)?;
    let pidfd = pidfd_open(pid, PidfdFlags::empty()).ok()?;
    match pidfd_send_signal(&pidfd, Signal::KILL) {
        Ok(()) | Err(Errno::SRCH) => {}
        Err(_) => return None,
    }
    waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED).ok()?;
    Some(ran)
}

/// The children of this process, all threads together. The kernel's short list may lack one while
/// another one ends, so it is read twice; where there is none, every process is looked at.
fn children() -> BTreeSet<u32> {
    match (listed(), listed()) {
        (Some(once), Some(again)) => once.union(&again).copied().collect(),
        _ => searched(),
    }
}

fn listed() -> Option<BTreeSet<u32>> {
    let mut found = BTreeSet::new();
    for thread in fs::read_dir("/proc/self/task").ok()?.flatten() {
        match fs::read_to_string(thread.path().join("children")) {
            Ok(pids) => found.extend(pids.split_ascii_whitespace().flat_map(str::parse::<u32>)),
            // A thread that has just ended has handed its children on to another one.
            Err(_) if !thread.path().exists() => {}
            Err(_) => return None,
        }
    }
    Some(found)
}

fn searched() -> BTreeSet<u32> {
    let own = getpid().as_raw_nonzero().get().unsigned_abs();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let children = entries.filter_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        (field(&stat, 1)?.parse() == Ok(own)).then_some(pid)
    });
    children.collect()
}

/// A field of `/proc/PID/stat` after the name, which stands in parentheses and may hold anything.
fn field(stat: &str, number: usize) -> Option<&str> {
    stat.rsplit_once(')')?
        .1
        .split_ascii_whitespace()
        .nth(number)
}
