//! What was found out about entries in this run, so that it is found out once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use model::Sha256;

use crate::Cache;

/// By path, the digest of what was found.
#[derive(Debug, Default)]
pub(crate) struct Recall(Mutex<BTreeMap<PathBuf, Sha256>>);

impl Cache {
    /// Notes what was found out about an entry.
    pub fn recall(&self, path: &Path, found: Sha256) {
        let known = &self.known().0;
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(path.to_owned(), found);
    }

    /// Whether just this was found out about an entry before, by this value or a clone of it.
    #[must_use]
    pub fn recalls(&self, path: &Path, found: &Sha256) -> bool {
        let known = &self.known().0;
        let known = known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(path) == Some(found)
    }
}
