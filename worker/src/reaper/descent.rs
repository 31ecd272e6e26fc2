//! The end of a build that nothing but descent sets apart: every process below the reaper is found in
//! `/proc`, stopped, and ended. `kill(-1)` would reach the user's own processes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::unistd::getpid;
use protocol::{Fault, Step};

use crate::error::{At, fault};
use crate::sys;

/// How long the processes of a build may go on to appear.
const PATIENCE: Duration = Duration::from_secs(10);
/// Rounds in which processes are only stopped, so that none makes new ones while they are ended.
const STOPPING: usize = 20;

/// Signals every process below this one until there is none. `reap` waits for what has ended and says
/// whether no child is left.
///
/// # Errors
/// If processes go on to appear: they are then the supervisor's to end.
pub(super) fn end_all(mut reap: impl FnMut() -> Result<bool, Fault>) -> Result<(), Fault> {
    let until = Instant::now() + PATIENCE;
    let mut before = BTreeSet::new();
    let mut round = 0;
    loop {
        let found = below()?;
        // A process that was born while the list was read may be missing in it.
        if found.is_empty() && reap()? {
            return Ok(());
        }
        if Instant::now() > until {
            return Err(fault(
                Step::Reaper,
                "the processes of the build do not come to an end",
            ));
        }
        let is_complete = found == before || round >= STOPPING;
        let signal = if is_complete {
            Signal::SIGKILL
        } else {
            Signal::SIGSTOP
        };
        for pid in &found {
            send(*pid, &found, signal);
        }
        if is_complete {
            reap()?;
        }
        before = found;
        round += 1;
    }
}

/// Signals one process, held by a descriptor and looked at again: its number may be another's by now.
fn send(pid: i32, family: &BTreeSet<i32>, signal: Signal) {
    let Ok(pidfd) = sys::open_process(pid) else {
        return;
    };
    let own = getpid().as_raw();
    if parent(pid).is_some_and(|parent| parent == own || family.contains(&parent)) {
        // Whoever has ended meanwhile is found no more.
        let _ = sys::signal_process(&pidfd, Some(signal));
    }
}

/// The processes below this one that still run.
pub(crate) fn below() -> Result<BTreeSet<i32>, Fault> {
    let entries = fs::read_dir("/proc").at(Step::Reaper, "list the processes")?;
    let parents: BTreeMap<i32, i32> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, parent(pid)?)))
        .collect();
    let own = getpid().as_raw();
    let mut found = BTreeSet::new();
    loop {
        let more: Vec<_> = parents
            .iter()
            .filter(|(pid, parent)| {
                !found.contains(*pid) && (**parent == own || found.contains(*parent))
            })
            .map(|(pid, _)| *pid)
            .collect();
        if more.is_empty() {
            return Ok(found);
        }
        found.extend(more);
    }
}

/// The parent of a process, if it has not ended.
fn parent(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything; what follows the last one does not.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    (!matches!(state, "Z" | "X")).then_some(parent)
}
