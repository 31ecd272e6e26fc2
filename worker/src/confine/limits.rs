//! Resource limits of the child that becomes the build. The reaper keeps its own.

use std::fs;
use std::os::unix::fs::MetadataExt;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use protocol::{Fault, Limits, Namespaces, Step};

use crate::error::At;

/// Sets every limit, never above what this process may have.
///
/// `RLIMIT_CORE` is 1 and not 0: zero still feeds a core pattern that is a pipe.
pub(crate) fn set_limits(limits: &Limits, processes_now: u64) -> Result<(), Fault> {
    let wanted = [
        (Resource::RLIMIT_CORE, 1),
        (Resource::RLIMIT_FSIZE, limits.file_bytes),
        (Resource::RLIMIT_NOFILE, limits.open_files),
        (
            Resource::RLIMIT_NPROC,
            processes_now.saturating_add(limits.processes),
        ),
        (Resource::RLIMIT_DATA, limits.memory_bytes),
        (Resource::RLIMIT_CPU, limits.cpu_seconds),
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
    Ok(())
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
