//! Acts that were refused, for the report.

use serde::{Deserialize, Serialize};

/// One kind of refused act, with a count.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Denial {
    /// The call: `connect`, `socket`, `chmod`, ...; or what the supervisor saw of a decoy.
    pub what: String,
    /// What it aimed at, at most 256 characters, control characters removed.
    pub target: String,
    /// How often.
    pub count: u64,
}
