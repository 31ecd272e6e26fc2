//! What the worker says came of it. A claim, not yet a verdict.

use serde::{Deserialize, Serialize};

use crate::Limit;

/// The worker's last word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// How the program ended.
    pub ending: Ending,
    /// What it used.
    pub usage: Usage,
    /// Processes that were still there when the program had ended and were killed.
    pub killed: u32,
}

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    /// It called `exit`.
    Exited(i32),
    /// A signal ended it.
    Signalled(i32),
    /// It reached a limit and was ended.
    Reached(Limit),
    /// The supervisor's order or the end of the link ended it.
    Ended,
    /// There was no program.
    Nothing,
}

/// What a build used, as the kernel counted it for all processes that were waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Processor time in user mode, milliseconds.
    pub user_ms: u64,
    /// Processor time in kernel mode, milliseconds.
    pub system_ms: u64,
    /// The largest resident set of one process, KiB.
    pub peak_kib: u64,
}
