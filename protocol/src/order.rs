//! What a supervisor says.

use serde::{Deserialize, Serialize};

use crate::{Assignment, HookCall, SlotBuild};

/// Supervisor to worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// Begin. Sent once.
    Start(Box<Assignment>),
    /// Call one hook. Only after `Ready` or `Returned`.
    Call(HookCall),
    /// Serve this build; its rooms are where they belong. Only after `Rested`.
    Build(SlotBuild),
    /// Be ready for another build: the rooms of the last one are gone. Only after `Built`.
    Rest,
    /// End the build and report. A slot from which nothing is being built ends as a whole.
    End,
}
