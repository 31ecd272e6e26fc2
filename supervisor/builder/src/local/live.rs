//! The workers that live now: who must not be taken for an orphan, and when all are gone.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// The set of live workers, shared by all sessions of one executor.
#[derive(Clone, Debug)]
pub(super) struct Live {
    pids: Arc<Mutex<BTreeSet<u32>>>,
    sessions: Arc<watch::Sender<usize>>,
}

/// Counts one session for as long as it lives.
#[derive(Debug)]
pub(super) struct SessionMark(Arc<watch::Sender<usize>>);

impl Live {
    pub(super) fn new() -> Self {
        Self {
            pids: Arc::default(),
            sessions: Arc::new(watch::Sender::new(0)),
        }
    }

    /// Locks the set. Workers are started and orphans are looked for under this lock, so that a
    /// worker just started is never taken for an orphan.
    pub(super) fn lock(&self) -> MutexGuard<'_, BTreeSet<u32>> {
        self.pids.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Marks the begin of a session.
    pub(super) fn session(&self) -> SessionMark {
        self.sessions.send_modify(|count| *count += 1);
        SessionMark(Arc::clone(&self.sessions))
    }

    /// Waits until no session is left.
    pub(super) async fn idle(&self) {
        let mut count = self.sessions.subscribe();
        // The sender lives in `self`, so this can not fail.
        drop(count.wait_for(|count| *count == 0).await);
    }
}

impl Drop for SessionMark {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}
