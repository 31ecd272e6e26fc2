//! What came of one package.

use serde::{Deserialize, Serialize};

use super::Difference;

/// One program's attempt.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Made {
    /// `built`, or what went wrong: a stable code, or `failed`.
    pub result: String,
    /// Seconds from its start to its end.
    pub seconds: f64,
    /// The wheel's file name.
    pub wheel: Option<String>,
    /// The level of isolation.
    pub level: Option<String>,
    /// What was refused meanwhile, as `what target` with counts.
    pub denials: Vec<String>,
    /// What it said when it failed, its first line.
    pub why: Option<String>,
}

impl Made {
    /// Whether there is a wheel.
    #[must_use]
    pub fn is_built(&self) -> bool {
        self.result == "built"
    }
}

/// One package, built by both.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Row {
    /// As the list asks for it.
    pub requirement: String,
    /// The program's attempt, without network and from a warmed cache.
    pub ours: Made,
    /// uv's attempt, likewise.
    pub theirs: Option<Made>,
    /// In what the wheels differ, if both are there.
    pub difference: Option<Difference>,
    /// What is odd: another source or wheel than the list names.
    pub notes: Vec<String>,
}

impl Row {
    /// Whether it built, and nothing about it is to be looked at.
    #[must_use]
    pub fn is_well(&self) -> bool {
        let same = self.difference.as_ref().is_none_or(Difference::is_none);
        self.ours.is_built() && same && self.notes.is_empty()
    }
}
