//! What a worker says.

use serde::{Deserialize, Serialize};

use crate::{Claim, Denial, Fault, HookReturn, IsolationReport, Listing, Trace};

/// Worker to supervisor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// The domain stands and was probed; nothing foreign has been touched yet.
    Confined(IsolationReport),
    /// The archive is unpacked.
    Unpacked(Listing),
    /// The archive was refused: a code word of the guard and a sentence.
    Refused {
        /// The guard's word, such as `traversal`.
        rule: String,
        /// What was refused, with the member's name made printable.
        detail: String,
    },
    /// The self-test passed and the program was started.
    Ready {
        /// The program's process id as the host sees it, where the worker can know it.
        pid: Option<u32>,
    },
    /// A hook ended.
    Returned(HookReturn),
    /// Something was refused.
    Denied(Denial),
    /// Something was opened or started.
    Traced(Trace),
    /// The interpreter of a slot stands still, and a build may begin.
    Rested,
    /// A build in a slot is over; nothing of it is left, and the slot may serve another.
    Built(Claim),
    /// The domain is empty; the last word.
    Finished(Claim),
    /// The worker itself can not go on; the last word.
    Faulted(Fault),
}
