//! What the solver calls a package: a project, or one extra of it.

use std::fmt;

use model::{ExtraName, PackageName};

/// A node of the solver's graph.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Package {
    /// What was asked for.
    Root,
    /// A project.
    Project(PackageName),
    /// What an extra adds; always at the same version as its project.
    Extra(PackageName, ExtraName),
}

impl Package {
    /// Returns the project's name; the root has none.
    pub(super) fn name(&self) -> Option<&PackageName> {
        match self {
            Self::Root => None,
            Self::Project(name) | Self::Extra(name, _) => Some(name),
        }
    }
}

impl fmt::Display for Package {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => out.write_str("what was asked for"),
            Self::Project(name) => name.fmt(out),
            Self::Extra(name, extra) => write!(out, "{name}[{extra}]"),
        }
    }
}
