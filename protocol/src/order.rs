//! What a supervisor says.

use serde::{Deserialize, Serialize};

use crate::{Assignment, HookCall};

/// Supervisor to worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// Begin. Sent once.
    Start(Box<Assignment>),
    /// Call one hook. Only after `Ready` or `Returned`.
    Call(HookCall),
    /// End the domain and report.
    End,
}
