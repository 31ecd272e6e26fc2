//! What a run of hooks is for: which hooks it calls, in which order (PEP 517).

use protocol::{Hook, HookReturn};
use serde::{Deserialize, Serialize};

use super::{HookOutcome, read};

/// What a run is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Goal {
    /// A wheel.
    Wheel,
    /// What the wheel's METADATA will say; a wheel, where the backend has no hook for that.
    Metadata,
    /// An sdist.
    Sdist,
    /// Nothing but what a wheel's build asks for.
    Requirements,
}

impl Goal {
    /// Returns the hook that is asked first: what else must be there.
    pub(crate) fn first(self) -> Hook {
        match self {
            Self::Wheel | Self::Metadata | Self::Requirements => Hook::GetRequiresForBuildWheel,
            Self::Sdist => Hook::GetRequiresForBuildSdist,
        }
    }

    /// Returns the hook that does the work.
    pub(crate) fn second(self) -> Hook {
        match self {
            Self::Wheel => Hook::BuildWheel,
            Self::Metadata => Hook::PrepareMetadataForBuildWheel,
            Self::Sdist => Hook::BuildSdist,
            Self::Requirements => Hook::GetRequiresForBuildWheel,
        }
    }

    /// Returns the hook that comes after one that did the work, if it did not.
    pub(crate) fn instead(self, returned: &HookReturn) -> Option<Hook> {
        let is_second = returned.hook == self.second();
        (self == Self::Metadata && is_second && is_nothing(&read(returned)))
            .then_some(Hook::BuildWheel)
    }

    /// Returns the hook that runs, or would run, after those that returned.
    pub(crate) fn running(self, returns: &[HookReturn]) -> Hook {
        match returns.last() {
            None => self.first(),
            Some(last) => self.instead(last).unwrap_or_else(|| self.second()),
        }
    }
}

/// Whether a hook is absent, or has nothing to say.
fn is_nothing(outcome: &HookOutcome) -> bool {
    match outcome {
        HookOutcome::NoHook => true,
        HookOutcome::Other(kind) => kind == "NoneType",
        _ => false,
    }
}
