//! Resource limits of the child that becomes the build. The reaper keeps its own.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::MetadataExt;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use protocol::{Fault, Limits, Namespaces, Step};

use crate::error::At;
use crate::sys;

/// How much sooner than others a build is chosen when memory runs out (proc_pid_oom_score_adj(5)).
const SOONER: i32 = 500;
/// Processes of the build's uid that are not the build's and may not be among those counted before:
/// the reaper, the unpacker.
const OURS: u64 = 2;
/// How nice a build is to what else runs, the reaper and the supervisor first.
const NICE: i32 = 10;

/// Sets every limit, never above what this process may have.
///
/// `RLIMIT_CORE` is 1 and not 0: zero still feeds a core pattern that is a pipe. Memory and processor
/// time are counted from outside, which is what ends a build; here a little more is allowed, so that
/// the count comes first, and a burst between two looks still has an end.
pub(crate) fn set_limits(limits: &Limits, processes_now: u64) -> Result<(), Fault> {
    let wanted = [
        (Resource::RLIMIT_CORE, 1),
        (Resource::RLIMIT_FSIZE, limits.file_bytes),
        (Resource::RLIMIT_NOFILE, limits.open_files),
        (
            Resource::RLIMIT_NPROC,
            processes_now
                .saturating_add(limits.processes)
                .saturating_add(OURS),
        ),
        (
            Resource::RLIMIT_DATA,
            limits.memory_bytes.saturating_add(limits.memory_bytes / 4),
        ),
        (Resource::RLIMIT_MEMLOCK, 64 * 1024),
        (Resource::RLIMIT_SIGPENDING, 4096),
        (Resource::RLIMIT_MSGQUEUE, 0),
    ];
    for (resource, limit) in wanted {
        let (_, hard) = getrlimit(resource).at(Step::Limits, format!("read {resource:?}"))?;
        let limit = limit.min(hard);
        setrlimit(resource, limit, limit)
            .at(Step::Limits, format!("set {resource:?} to {limit}"))?;
    }
    let (_, hard) =
        getrlimit(Resource::RLIMIT_CPU).at(Step::Limits, "read the limit of processor time")?;
    // The softer one sends a signal of its own, which tells what happened.
    let cpu = |more: u64| limits.cpu_seconds.saturating_add(more).min(hard);
    setrlimit(Resource::RLIMIT_CPU, cpu(1), cpu(3)).at(Step::Limits, "limit processor time")
}

/// Makes this process nicer than it was, and all that come of it.
pub(crate) fn become_nice() -> Result<(), Fault> {
    sys::become_nicer(NICE).at(Step::Limits, format!("become nicer by {NICE}"))
}

/// The door to how likely this process is ended when memory runs out: opened before anything is
/// mounted or restricted, used when the build's child is forked, which inherits the value. The child
/// could not open it itself.
pub(crate) struct OomScore {
    /// Nothing where `/proc` is not writable: then a build is as likely as anybody.
    own: Option<(File, i32)>,
}

impl OomScore {
    /// Opens it.
    pub(crate) fn open() -> Self {
        let path = "/proc/self/oom_score_adj";
        let present = fs::read_to_string(path).ok();
        let present = present.and_then(|text| text.trim().parse().ok());
        let file = fs::OpenOptions::new().write(true).open(path).ok();
        Self {
            own: file.zip(present),
        }
    }

    /// Does `fork` while this process is likelier. Going back to what it was needs no capability.
    pub(crate) fn raised<T>(&self, fork: impl FnOnce() -> T) -> T {
        self.set(SOONER);
        let forked = fork();
        self.set(0);
        forked
    }

    fn set(&self, more: i32) {
        if let Some((mut file, present)) = self.own.as_ref().map(|(file, present)| (file, *present))
        {
            let score = present.saturating_add(more).min(1000);
            // A second lock: a kernel that refuses it still counts and ends by the limits.
            drop(file.write_all(score.to_string().as_bytes()));
        }
    }
}

/// Raises the soft limit of descriptors to the hard one.
pub(crate) fn raise_open_files() -> Result<(), Fault> {
    let (_, hard) =
        getrlimit(Resource::RLIMIT_NOFILE).at(Step::Limits, "read the limit of descriptors")?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard)
        .at(Step::Limits, "raise the limit of descriptors")
}

/// Counts what `RLIMIT_NPROC` counts for the build already: threads of its uid on the host. A user
/// namespace of its own begins at nothing.
pub(crate) fn processes_now(namespaces: Namespaces, uid: u32) -> u64 {
    if namespaces == Namespaces::WithUser {
        return 0;
    }
    let own = fs::read_link("/proc/self/ns/user").ok();
    let Ok(entries) = fs::read_dir("/proc") else {
        return 0;
    };
    entries
        .flatten()
        .filter(|entry| {
            entry
                .file_name()
                .as_encoded_bytes()
                .first()
                .is_some_and(u8::is_ascii_digit)
        })
        .filter(|entry| entry.metadata().is_ok_and(|found| found.uid() == uid))
        // A process of another user namespace is counted there.
        .filter(|entry| {
            let theirs = fs::read_link(entry.path().join("ns/user")).ok();
            theirs.is_none() || theirs == own
        })
        .map(|entry| {
            fs::read_dir(entry.path().join("task")).map_or(1, |tasks| tasks.count() as u64)
        })
        .sum()
}
