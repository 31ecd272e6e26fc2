//! How far a command goes with what was asked for.

use super::build::Beside;

/// What of what was asked for is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Course {
    /// Nothing but what is named.
    Named,
    /// That and everything that it depends on.
    Whole,
    /// Nothing: it is only told what would be.
    DryRun,
    /// An sdist, and perhaps a wheel beside it.
    Sdist(Beside),
}

impl Course {
    /// Whether what is asked for counts with everything that it depends on.
    pub(super) fn is_whole(self) -> bool {
        matches!(self, Self::Whole | Self::DryRun)
    }
}
