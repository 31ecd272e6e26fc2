//! Turns: the same work is done by one at a time, of the tasks of this call and of the processes on
//! this cache. Who comes second finds it done.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use model::{Digest, Sha256};
use sources::Spec;
use tokio::sync::{Mutex as Gate, OwnedMutexGuard};
use url::Url;

use super::corridor::{Pipeline, blocking};
use super::needs::{Holding, Need, Needs};
use crate::error::BuildError;
use crate::watch::BuildEvent;

/// The work of this call that somebody does or has done, by name, and who waits for it.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    gates: Mutex<BTreeMap<String, Arc<Gate<()>>>>,
    found: Mutex<BTreeMap<String, Found>>,
    pub(super) needs: Arc<Needs>,
}

/// What a place turned out to be, for the rest of the call.
#[derive(Clone, Debug)]
pub(super) enum Found {
    /// A folder or a local archive, by its bytes.
    Bytes(Digest),
    /// A reference of a repository, by its commit.
    Commit(String),
}

impl Turns {
    /// Returns what the work `name` came to earlier in this call.
    pub(super) fn found(&self, name: &str) -> Option<Found> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.get(name).cloned()
    }

    /// Takes note of what the work `name` came to. Called while its turn lasts.
    pub(super) fn note(&self, name: String, what: Found) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.insert(name, what);
    }
}

/// The right to do some work; ends when it is dropped.
#[must_use = "the turn ends when this is dropped"]
pub(super) struct Turn {
    // Dropped first, so that the next task of this call finds it free. None if another process
    // does the same and is not to be waited for.
    _lock: Option<cache::Lock>,
    _gate: OwnedMutexGuard<()>,
    _need: Option<Need>,
    holding: Holding,
}

impl Pipeline {
    /// Waits until nobody else does the work `name`. Another process is waited for as long as the
    /// caller said and announced to whoever watches, unless the caller wants no waiting.
    ///
    /// # Errors
    /// If whoever does it waits for what is held here; if another process holds it for too long.
    pub(super) async fn turn(&self, name: String, label: &str) -> Result<Turn, BuildError> {
        let gate = {
            let gates = &self.turns.gates;
            let mut gates = gates.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(gates.entry(name.clone()).or_default())
        };
        let needs = &self.turns.needs;
        let need = needs.note(self.holding.as_ref(), &name, &self.chain)?;
        let holding = Holding::new(name.clone(), &self.chain);
        // A task of this call ends or fails, and waits for nothing of ours, so there is no time limit.
        let gate = gate.lock_owned().await;
        let lock = if self.settings.force {
            self.lock_if_free(name, label).await?
        } else {
            Some(self.lock(name, label).await?)
        };
        Ok(Turn {
            _lock: lock,
            _gate: gate,
            _need: need,
            holding,
        })
    }

    /// The same pipeline, for what is done while a turn lasts.
    pub(super) fn within(&self, turn: &Turn) -> Self {
        Self {
            holding: Some(turn.holding.clone()),
            ..self.clone()
        }
    }

    async fn lock(&self, name: String, label: &str) -> Result<cache::Lock, BuildError> {
        let settings = Arc::clone(&self.settings);
        let watcher = Arc::clone(&self.watcher);
        let label = label.to_owned();
        blocking("take a lock", move || {
            let what = in_words(&name, &label);
            let mut announce = || {
                watcher.event(&BuildEvent::Waiting {
                    label: label.clone(),
                    what: format!("another process that makes the same ({what})"),
                });
            };
            let (what, wait) = (format!("the {what}"), settings.lock_timeout);
            Ok(settings.cache.lock(&name, &what, wait, &mut announce)?)
        })
        .await
    }

    async fn lock_if_free(
        &self,
        name: String,
        label: &str,
    ) -> Result<Option<cache::Lock>, BuildError> {
        let (cache, wanted) = (self.settings.cache.clone(), name.clone());
        let lock = blocking("take a lock", move || Ok(cache.lock_if_free(&wanted)?)).await?;
        if lock.is_none() {
            let what = in_words(&name, label);
            let text = format!("another process makes the same ({what}) and is not waited for");
            self.note(label, text);
        }
        Ok(lock)
    }
}

/// Says what the work `name` is about as people know it: a name holds digests.
fn in_words(name: &str, label: &str) -> String {
    let kind = name.split(' ').next().unwrap_or_default();
    format!("{kind} of {label}")
}

/// Names the work of finding out what a place holds, the same for all specs of that place.
pub(super) fn work_of(spec: &Spec) -> Option<String> {
    match spec {
        Spec::Url { url, .. } => Some(behind(url)),
        Spec::Archive { path, .. } | Spec::Directory { path, .. } => {
            let path = path.as_os_str().as_encoded_bytes();
            Some(format!("source at {}", Sha256::of(path)))
        }
        Spec::Named(_) | Spec::Listed(_) | Spec::Git { .. } => None,
    }
}

/// The work of fetching what lies behind `url`, whose credentials its name does not show.
pub(super) fn behind(url: &Url) -> String {
    format!("source behind {}", Sha256::of(url.as_str()))
}
