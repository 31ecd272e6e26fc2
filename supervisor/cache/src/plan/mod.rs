//! The plan of a removal: from an inventory and a wish to a list, with a reason for each entry.
//!
//! Pure: no clock, no disk. What is in use is not known here; whoever carries a plan out passes by
//! it. Damaged entries are the business of `check`, strangers nobody's.

mod clean;
mod limits;
mod prune;
mod reason;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::SystemTime;

pub use clean::{Clean, Kinds};
pub use limits::Keeping;
pub use prune::Prune;
pub use reason::Reason;

use crate::{Item, What};

/// What is to be removed, in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The entries.
    pub removals: Vec<Removal>,
    /// Where in the list each path stands: a plan takes as long as its inventory, not as its square.
    listed: HashMap<PathBuf, usize>,
}

/// One entry that is to be removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// Relative to the root.
    pub path: PathBuf,
    /// What it is.
    pub what: What,
    /// What people call it.
    pub label: String,
    /// Why.
    pub reason: Reason,
    /// Regular files in it.
    pub files: u64,
    /// Bytes in them.
    pub bytes: u64,
    /// When it was used last, as the plan knew: if it was used since, it stays.
    pub used: SystemTime,
}

impl Plan {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.removals.is_empty()
    }

    pub(crate) fn add(&mut self, item: &Item, reason: Reason) {
        self.listed.insert(item.path.clone(), self.removals.len());
        self.removals.push(Removal {
            path: item.path.clone(),
            what: item.what.clone(),
            label: item.label(),
            reason,
            files: item.files,
            bytes: item.bytes,
            used: item.used,
        });
    }

    fn holds(&self, item: &Item) -> bool {
        self.listed.contains_key(&item.path)
    }

    /// Returns why an entry goes, if it does.
    fn why(&self, item: &Item) -> Option<&Reason> {
        let at = self.listed.get(&item.path)?;
        self.removals.get(*at).map(|removal| &removal.reason)
    }
}
