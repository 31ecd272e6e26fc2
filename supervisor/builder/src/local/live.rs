//! The workers that live now: who must not be taken for an orphan, and when all are gone.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::orphans::{self, Inherited};
use crate::left_out::{Layer, stands};

/// The set of live workers, shared by all sessions of one executor.
#[derive(Clone, Debug)]
pub(super) struct Live {
    pids: Arc<Mutex<Workers>>,
    sessions: Arc<watch::Sender<usize>>,
}

/// The workers whose end is not judged yet.
#[derive(Debug)]
pub(super) struct Workers {
    inherited: Inherited,
    live: BTreeSet<u32>,
    /// Those that were over when orphans were found, and nobody knows whose.
    suspected: BTreeSet<u32>,
}

impl Workers {
    /// Children may be there that are neither workers nor left by them.
    pub(super) fn expect_company(&mut self) {
        self.inherited.expect_company();
    }

    /// Enters a worker that has just been started.
    pub(super) fn enter(&mut self, pid: u32) {
        self.live.insert(pid);
    }

    /// Strikes a worker out that is over, and ends whatever outlived it. Returns how much that was, at
    /// least: orphans do not tell whose they were, so every worker that was over by then is held
    /// responsible.
    pub(super) fn leave(&mut self, pid: u32) -> usize {
        self.live.remove(&pid);
        if !stands(Layer::Supervisor) {
            return 0;
        }
        let ended = orphans::end_all(&self.live, &self.inherited);
        if ended > 0 {
            let over = self.live.iter().filter(|pid| orphans::is_over(**pid));
            self.suspected.extend(over);
        }
        ended.max(usize::from(self.suspected.remove(&pid)))
    }
}

/// Counts one session for as long as it lives.
#[derive(Debug)]
pub(super) struct SessionMark(Arc<watch::Sender<usize>>);

impl Live {
    pub(super) fn new() -> Self {
        Self {
            pids: Arc::new(Mutex::new(Workers {
                inherited: Inherited::now(),
                live: BTreeSet::new(),
                suspected: BTreeSet::new(),
            })),
            sessions: Arc::new(watch::Sender::new(0)),
        }
    }

    /// Locks the set. Workers are started and orphans are looked for under this lock, so that a
    /// worker just started is never taken for an orphan.
    pub(super) fn lock(&self) -> MutexGuard<'_, Workers> {
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
