//! Resource limits of the child that becomes the build. The reaper keeps its own.

use std::os::unix::fs::MetadataExt;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use protocol::{Fault, Limits, Step};

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

/// Counts the processes of this uid on the host: `RLIMIT_NPROC` counts them all, so a limit for
/// the build alone has to stand above them.
pub(crate) fn processes_of_this_uid(uid: u32) -> u64 {
    let Ok(entries) = std::fs::read_dir("/proc") else {
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
        .count() as u64
}
