//! What sets the processes of a build apart from all others.

use protocol::{Confinement, Namespaces};

use super::landlock::Support;
use crate::left_out::{Layer, stands};

/// The line around the processes of a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Boundary {
    /// A pid namespace, to which nobody else belongs.
    PidNamespace,
    /// Domain A, which no signal leaves: whom the reaper may signal is in it.
    Scope,
    /// Descent alone: the reaper's children and theirs. A signal of the build reaches anybody.
    Descent,
}

impl Boundary {
    /// Returns what `confinement` comes to with what the kernel can do.
    pub(crate) fn of(confinement: &Confinement, support: Support) -> Self {
        if confinement.namespaces != Namespaces::None && stands(Layer::PidNamespace) {
            Self::PidNamespace
        } else if support.scopes() {
            Self::Scope
        } else {
            Self::Descent
        }
    }
}
