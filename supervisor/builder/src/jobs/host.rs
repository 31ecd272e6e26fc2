//! The slots of a host, as locks in the cache, and the runs of hooks that wait for one.
//!
//! A slot is the lock `jobs K`. It ends with its process, whatever happens to that. A process whose cache
//! nobody else has shares with nobody.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use cache::{Cache, Lock};
use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};

use super::account::Account;
use super::variables::Sharing;

/// How often a slot of another process is looked for.
const POLL: Duration = Duration::from_millis(50);
/// How long a wait goes without a word: tokens come back within moments.
const SILENT: Duration = Duration::from_secs(1);
/// The lock of whoever waits for a slot, so that others do not keep one that they make no use of.
const WANTED: &str = "jobs wanted";

/// Returns how many processors this process may use.
#[must_use]
pub fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// The jobs of this process.
#[derive(Debug)]
pub(crate) struct Jobs {
    cache: Cache,
    account: Mutex<Account<Lock>>,
    /// Runs that wait, for this process's permit or for a slot.
    waiting: AtomicUsize,
    /// Those that wait for a slot do so one after the other.
    turn: tokio::sync::Mutex<()>,
    /// A use has ended.
    left: Notify,
    /// A run waits.
    asked: Notify,
    sharing: OnceLock<Option<Sharing>>,
}

impl Jobs {
    /// Those of a process that works with `cache`.
    pub(crate) fn new(cache: Cache) -> Arc<Self> {
        Arc::new(Self {
            cache,
            account: Mutex::default(),
            waiting: AtomicUsize::new(0),
            turn: tokio::sync::Mutex::default(),
            left: Notify::new(),
            asked: Notify::new(),
            sharing: OnceLock::new(),
        })
    }

    /// Returns who shares the jobs of this host, as `look` found out the first time.
    pub(crate) fn sharing(&self, look: impl FnOnce() -> Option<Sharing>) -> Option<Sharing> {
        *self.sharing.get_or_init(look)
    }

    /// Says that a run waits, from now until it has its slot. `least` is how many jobs the caller wants at
    /// a time: the host has that many slots at least, and one a processor.
    pub(crate) fn asks(self: &Arc<Self>, least: usize) -> Asking {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.asked.notify_waiters();
        Asking {
            jobs: Arc::clone(self),
            most: slots(least),
        }
    }

    /// Enters one more use, unless that takes a slot and none is free.
    pub(super) async fn enter(self: &Arc<Self>, most: usize) -> Option<Use> {
        let jobs = Arc::clone(self);
        let entered = spawn_blocking(move || {
            let may = jobs.account().enter(|| jobs.free_slot(most));
            may.then(|| Use(jobs))
        });
        entered.await.ok().flatten()
    }

    /// Whether a run waits for a slot, here or in another process.
    pub(super) async fn is_wanted(self: &Arc<Self>) -> bool {
        if self.waiting.load(Ordering::Relaxed) > 0 {
            return true;
        }
        self.want().await.is_none()
    }

    /// Resolves when a run of this process begins to wait.
    pub(super) async fn asked(&self) {
        self.asked.notified().await;
    }

    /// Says to other processes that a slot is wanted, unless one of them says so already.
    async fn want(self: &Arc<Self>) -> Option<Lock> {
        let jobs = Arc::clone(self);
        let lock = spawn_blocking(move || jobs.lock(WANTED));
        lock.await.ok().flatten()
    }

    fn free_slot(&self, most: usize) -> Option<Lock> {
        (0..most).find_map(|slot| self.lock(&format!("jobs {slot}")))
    }

    /// A lock that can not be used is one that is not free: what matters waits for locks anyway, and fails.
    fn lock(&self, name: &str) -> Option<Lock> {
        let taken = self.cache.lock_if_free(name);
        taken
            .inspect_err(|error| tracing::debug!(%error, name, "no slot"))
            .ok()
            .flatten()
    }

    fn account(&self) -> MutexGuard<'_, Account<Lock>> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns how many slots the host has for who wants `least` jobs at a time.
pub(super) fn slots(least: usize) -> usize {
    processors().max(least)
}

/// A run that waits.
#[derive(Debug)]
#[must_use = "nobody waits any more when this is dropped"]
pub(crate) struct Asking {
    jobs: Arc<Jobs>,
    most: usize,
}

impl Asking {
    /// Waits until the run may begin: at once if this process does nothing else. `on_wait` is called if that
    /// takes long.
    pub(crate) async fn slot(self, on_wait: impl FnOnce()) -> Use {
        let _turn = self.jobs.turn.lock().await;
        let (since, mut on_wait, mut wanted) = (Instant::now(), Some(on_wait), None);
        loop {
            if let Some(entered) = self.jobs.enter(self.most).await {
                return entered;
            }
            if wanted.is_none() {
                wanted = self.jobs.want().await;
            }
            if since.elapsed() >= SILENT
                && let Some(on_wait) = on_wait.take()
            {
                on_wait();
            }
            tokio::select! {
                () = self.jobs.left.notified() => {}
                () = sleep(POLL) => {}
            }
        }
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.jobs.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A run, or a token that is lent to one; over when this is dropped.
#[derive(Debug)]
#[must_use = "the use is over when this is dropped"]
pub(crate) struct Use(Arc<Jobs>);

impl Drop for Use {
    fn drop(&mut self) {
        let surplus = self.0.account().leave();
        drop(surplus);
        self.0.left.notify_one();
    }
}
