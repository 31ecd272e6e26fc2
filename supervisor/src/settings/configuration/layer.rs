//! Layers of configuration files, and the rule about widening: who may say what.

use std::path::Path;
use std::sync::Arc;

/// Whose file it is; the later ones win.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Layer {
    /// In the system's folder.
    System,
    /// In the home that the account database names.
    User,
    /// Where `XDG_CONFIG_HOME` or `HOME` leads otherwise: whoever sets a variable chose it.
    Elsewhere,
    /// Typed: `--config-file`.
    Named,
    /// In the working directory or above it: whoever wrote the project chose it.
    Project,
}

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// It only ever narrows, or decides about the content of wheels.
    Narrows,
    /// It has an order: there are narrower and wider values.
    Ordered,
    /// It names an index, a place, an interpreter or the use of this machine.
    Personal,
    /// It only ever widens.
    Widens,
}

/// How far a layer is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Say {
    /// Whatever it says.
    Freely,
    /// As far as it is narrower than what holds without it.
    Narrower,
    /// Not at all: what it says is noted.
    Nothing,
}

impl Layer {
    /// Returns how far this layer is heard about such a key. This table is the rule about widening.
    pub(super) fn say(self, rule: Rule) -> Say {
        match (self, rule) {
            (Self::System | Self::User | Self::Named, _) | (_, Rule::Narrows) => Say::Freely,
            (Self::Elsewhere, Rule::Personal) => Say::Freely,
            (Self::Elsewhere | Self::Project, Rule::Ordered) => Say::Narrower,
            (Self::Elsewhere | Self::Project, Rule::Personal | Rule::Widens) => Say::Nothing,
        }
    }

    /// Whether this layer may widen what builds may touch and use.
    pub(crate) fn widens(self) -> bool {
        self.say(Rule::Widens) == Say::Freely
    }

    /// Returns whose file it is, in words.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::System => "the system's file",
            Self::User => "the user's file",
            Self::Elsewhere => "a file that a variable leads to",
            Self::Named => "the file of --config-file",
            Self::Project => "the project's file",
        }
    }
}

/// A line of a configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The file.
    pub(crate) file: Arc<Path>,
    /// The line, counted from 1.
    pub(crate) line: usize,
    /// Whose file it is.
    pub(crate) layer: Layer,
}

impl std::fmt::Display for Place {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}:{}", self.file.display(), self.line)
    }
}
