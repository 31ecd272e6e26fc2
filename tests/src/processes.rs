//! What `/proc` tells about processes, seen from outside of any sandbox.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, poll};

/// One process of the host.
#[derive(Clone, Debug)]
pub struct Process {
    /// Its number.
    pub pid: i32,
    /// Its parent's number.
    pub parent: i32,
    /// Whether it has ended and waits to be reaped.
    pub zombie: bool,
    /// When it started, in ticks since boot: tells a reused number from the same process.
    pub started: u64,
    /// The nice value.
    pub nice: i32,
    /// The scheduling policy's number.
    pub scheduler: u32,
}

/// Lists the processes of the host. One that ends meanwhile is left out.
pub fn all() -> impl Iterator<Item = Process> {
    let entries = fs::read_dir("/proc").expect("/proc is mounted").flatten();
    entries.filter_map(|entry| of(entry.file_name().to_str()?.parse().ok()?))
}

/// Returns one process, or nothing if there is none with this number.
#[must_use]
pub fn of(pid: i32) -> Option<Process> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    // The fields are counted from the state, which is the third of proc(5).
    let number = |index: usize| fields.get(index - 3)?.parse::<i64>().ok();
    Some(Process {
        pid,
        parent: i32::try_from(number(4)?).ok()?,
        zombie: matches!(fields.first(), Some(&("Z" | "X"))),
        started: u64::try_from(number(22)?).ok()?,
        nice: i32::try_from(number(19)?).ok()?,
        scheduler: u32::try_from(number(41)?).ok()?,
    })
}

/// Whether the very process is still there and has not ended.
#[must_use]
pub fn lives(known: &Process) -> bool {
    of(known.pid).is_some_and(|now| now.started == known.started && !now.zombie)
}

/// Whether a process ends within a time: a signal that was sent may still be on its way.
///
/// # Panics
/// When the kernel has no process descriptors.
#[must_use]
pub fn ends_within(known: &Process, wait: Duration) -> bool {
    let Some(pid) = rustix::process::Pid::from_raw(known.pid).filter(|_| lives(known)) else {
        return true;
    };
    let Ok(handle) = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) else {
        return true;
    };
    let milliseconds = u16::try_from(wait.as_millis()).expect("a short time");
    let mut watched = [PollFd::new(handle.as_fd(), PollFlags::POLLIN)];
    poll(&mut watched, milliseconds).expect("a descriptor can be polled") > 0
}

/// Lists a process and all below it, the process itself first.
#[must_use]
pub fn family(root: i32) -> Vec<Process> {
    let mut children: BTreeMap<i32, Vec<Process>> = BTreeMap::new();
    for process in all() {
        children.entry(process.parent).or_default().push(process);
    }
    let mut found: Vec<Process> = of(root).into_iter().collect();
    let mut next = 0;
    while let Some(process) = found.get(next) {
        let below = children.remove(&process.pid).unwrap_or_default();
        found.extend(below.into_iter().filter(|child| !child.zombie));
        next += 1;
    }
    found
}

/// Returns one field of `/proc/PID/status`, such as `Seccomp`.
#[must_use]
pub fn status(pid: i32, field: &str) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    Some(line.trim().to_owned())
}

/// Returns the name of a namespace of a process, such as `user:[4026531837]`.
#[must_use]
pub fn namespace(pid: i32, kind: &str) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/ns/{kind}")).ok()
}

/// Returns the inodes of the sockets that a process holds.
#[must_use]
pub fn sockets(pid: i32) -> BTreeSet<u64> {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fd")) else {
        return BTreeSet::new();
    };
    entries
        .flatten()
        .filter_map(|entry| {
            let target = fs::read_link(entry.path()).ok()?;
            let inode = target
                .to_str()?
                .strip_prefix("socket:[")?
                .strip_suffix(']')?;
            inode.parse().ok()
        })
        .collect()
}

/// One row of a table of `/proc/PID/net` that belongs to the process: its columns.
#[must_use]
pub fn socket_rows(pid: i32, table: &str, inode_column: usize) -> Vec<Vec<String>> {
    let held = sockets(pid);
    let text = fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
    let rows = text
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().map(str::to_owned).collect());
    rows.filter(|row: &Vec<String>| {
        row.get(inode_column)
            .and_then(|word| word.parse().ok())
            .is_some_and(|inode| held.contains(&inode))
    })
    .collect()
}
