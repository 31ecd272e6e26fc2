//! What a traced build opened and started, for the report.

use serde::{Deserialize, Serialize};

use crate::AbsPath;

/// What was wanted of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Touch {
    /// To read it, or to list a folder.
    Read,
    /// To write or make it.
    Write,
    /// To start it as a program.
    Execute,
}

impl Touch {
    /// Returns the word used in errors and records.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Execute => "execute",
        }
    }
}

/// What the policy makes of it, as far as the broker could see. The kernel decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// A grant covers it; the path is the grant's.
    Granted,
    /// No grant covers it.
    Refused,
    /// It is not there for the build and no grant covers it: at level `ns` what is refused looks so.
    Hidden,
}

/// One kind of touch, with a count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// What was wanted.
    pub touch: Touch,
    /// What the policy makes of it.
    pub verdict: Verdict,
    /// Of what, as the build sees it, links resolved where it is there.
    pub path: AbsPath,
    /// How often.
    pub count: u64,
    /// The number of the last such call among all that were traced.
    pub last: u64,
}
