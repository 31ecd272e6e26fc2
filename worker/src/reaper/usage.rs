//! What a build has used, as the kernel counts it.

use nix::sys::resource::{UsageWho, getrusage};
use protocol::{Fault, Step, Usage};

use crate::error::At;

/// What the children that were waited for have used.
pub(crate) fn usage_of_children() -> Result<Usage, Fault> {
    let used = getrusage(UsageWho::RUSAGE_CHILDREN).at(Step::Reaper, "read usage")?;
    let ms = |time: nix::sys::time::TimeVal| {
        u64::try_from(time.tv_sec() * 1000 + time.tv_usec() / 1000).unwrap_or(0)
    };
    Ok(Usage {
        user_ms: ms(used.user_time()),
        system_ms: ms(used.system_time()),
        peak_kib: u64::try_from(used.max_rss()).unwrap_or(0),
    })
}
