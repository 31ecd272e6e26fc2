//! The slots that idle: by what must be equal for a build to be served, ended when nobody comes.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::join_all;

use super::{Slot, Terms};

/// How long a slot idles.
const IDLE: Duration = Duration::from_secs(60);

/// What can idle.
pub(in crate::local) trait Idle: Send + 'static {
    /// Ends it, with all that is in it.
    fn end(self) -> impl Future<Output = ()> + Send;
}

impl Idle for Box<Slot> {
    async fn end(self) {
        Slot::end(*self).await;
    }
}

/// The pool.
#[derive(Debug)]
pub(in crate::local) struct Pool<S = Box<Slot>>(Mutex<Kept<S>>);

#[derive(Debug)]
struct Kept<S> {
    /// The oldest first, each with a number of its own.
    idle: Vec<(u64, Terms, S)>,
    /// Terms under which a slot is of no use.
    unfit: BTreeSet<Terms>,
    next: u64,
    is_closed: bool,
}

impl<S> Default for Pool<S> {
    fn default() -> Self {
        Self(Mutex::new(Kept {
            idle: Vec::new(),
            unfit: BTreeSet::new(),
            next: 0,
            is_closed: false,
        }))
    }
}

impl<S: Idle> Pool<S> {
    fn lock(&self) -> MutexGuard<'_, Kept<S>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a slot under `terms` may be of use.
    pub(in crate::local) fn may_serve(&self, terms: &Terms) -> bool {
        let kept = self.lock();
        !kept.is_closed && !kept.unfit.contains(terms)
    }

    /// Whether a slot idles under `terms`.
    pub(in crate::local) fn idles(&self, terms: &Terms) -> bool {
        self.lock().idle.iter().any(|(_, idle, _)| idle == terms)
    }

    /// Takes note that slots under `terms` are of no use, and returns those that idle.
    pub(in crate::local) fn forgo(&self, terms: Terms) -> Vec<S> {
        let mut kept = self.lock();
        kept.unfit.insert(terms);
        kept.take_all(|idle| *idle == terms)
    }

    /// Takes a slot that idles under `terms`.
    pub(in crate::local) fn take(&self, terms: &Terms) -> Option<S> {
        let mut kept = self.lock();
        let found = kept.idle.iter().rposition(|(_, idle, _)| idle == terms)?;
        Some(kept.idle.remove(found).2)
    }

    /// Takes the slot that has idled longest.
    pub(in crate::local) fn take_oldest(&self) -> Option<S> {
        let mut kept = self.lock();
        (!kept.idle.is_empty()).then(|| kept.idle.remove(0).2)
    }

    /// Takes every slot, and keeps none from now on.
    pub(in crate::local) fn close(&self) -> Vec<S> {
        let mut kept = self.lock();
        kept.is_closed = true;
        kept.take_all(|_| true)
    }

    /// Lets a slot idle, for a while, among at most `most`. Returns those that are one too many.
    pub(in crate::local) fn put(self: &Arc<Self>, terms: Terms, slot: S, most: usize) -> Vec<S> {
        let mut kept = self.lock();
        if kept.is_closed {
            return vec![slot];
        }
        let number = kept.next;
        kept.next += 1;
        kept.idle.push((number, terms, slot));
        let surplus = kept.idle.len().saturating_sub(most.max(1));
        let surplus = kept
            .idle
            .drain(..surplus)
            .map(|(_, _, slot)| slot)
            .collect();
        drop(kept);
        let pool = Arc::downgrade(self);
        tokio::spawn(async move {
            tokio::time::sleep(IDLE).await;
            let Some(pool) = pool.upgrade() else { return };
            let slot = {
                let mut kept = pool.lock();
                let found = kept.idle.iter().position(|(idle, ..)| *idle == number);
                found.map(|found| kept.idle.remove(found).2)
            };
            if let Some(slot) = slot {
                slot.end().await;
            }
        });
        surplus
    }
}

impl<S> Kept<S> {
    fn take_all(&mut self, which: impl Fn(&Terms) -> bool) -> Vec<S> {
        let (taken, idle) = std::mem::take(&mut self.idle)
            .into_iter()
            .partition(|(_, terms, _)| which(terms));
        self.idle = idle;
        taken.into_iter().map(|(_, _, slot)| slot).collect()
    }
}

/// Ends slots, side by side.
pub(in crate::local) async fn end_all<S: Idle>(slots: Vec<S>) {
    join_all(slots.into_iter().map(Idle::end)).await;
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Something that idles, and is counted when it ends.
    struct Counted(u32, Arc<AtomicUsize>);

    impl Idle for Counted {
        async fn end(self) {
            self.1.fetch_add(1, Ordering::Relaxed);
        }
    }

    struct Pooled {
        pool: Arc<Pool<Counted>>,
        ended: Arc<AtomicUsize>,
    }

    impl Pooled {
        fn new() -> Self {
            Self {
                pool: Arc::default(),
                ended: Arc::default(),
            }
        }

        /// Lets the slot of a number idle, and returns the numbers of those that are too many.
        fn put(&self, number: u32, terms: &str, most: usize) -> Vec<u32> {
            let slot = Counted(number, Arc::clone(&self.ended));
            let surplus = self.pool.put(Terms::of(terms), slot, most);
            surplus.into_iter().map(|slot| slot.0).collect()
        }

        fn take(&self, terms: &str) -> Option<u32> {
            self.pool.take(&Terms::of(terms)).map(|slot| slot.0)
        }

        fn ended(&self) -> usize {
            self.ended.load(Ordering::Relaxed)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_slot_that_nobody_takes_for_a_minute_ends_and_one_that_is_taken_does_not() {
        let pooled = Pooled::new();
        assert!(pooled.put(1, "a", 2).is_empty());
        tokio::time::sleep(IDLE / 2).await;
        assert!(pooled.put(2, "b", 2).is_empty());
        assert_eq!(pooled.take("a"), Some(1));
        // It comes back: its minute begins anew.
        assert!(pooled.put(1, "a", 2).is_empty());
        tokio::time::sleep(IDLE * 3 / 4).await;
        assert_eq!(pooled.ended(), 0);
        tokio::time::sleep(IDLE / 2).await;
        assert_eq!(pooled.ended(), 2);
        assert_eq!(pooled.take("a"), None);
        assert_eq!(pooled.take("b"), None);
    }

    #[tokio::test]
    async fn of_more_idle_slots_than_jobs_the_oldest_is_one_too_many() {
        let pooled = Pooled::new();
        assert!(pooled.put(1, "a", 2).is_empty());
        assert!(pooled.put(2, "b", 2).is_empty());
        assert_eq!(pooled.put(3, "c", 2), [1]);
        assert_eq!(pooled.take("a"), None);
        // Want of a uid takes the one that has idled longest.
        assert_eq!(pooled.pool.take_oldest().map(|slot| slot.0), Some(2));
        assert_eq!(pooled.take("c"), Some(3));
        assert!(pooled.pool.take_oldest().is_none());
    }

    #[tokio::test]
    async fn terms_that_are_of_no_use_have_no_slot_again_and_a_closed_pool_has_none() {
        let pooled = Pooled::new();
        assert!(pooled.put(1, "a", 2).is_empty());
        let given_up = pooled.pool.forgo(Terms::of("a"));
        assert_eq!(given_up.len(), 1);
        assert!(!pooled.pool.may_serve(&Terms::of("a")));
        assert!(pooled.pool.may_serve(&Terms::of("b")));
        assert!(pooled.put(2, "b", 2).is_empty());
        end_all(pooled.pool.close()).await;
        assert_eq!(pooled.ended(), 1);
        assert!(!pooled.pool.may_serve(&Terms::of("b")));
        assert_eq!(pooled.put(3, "b", 2), [3]);
    }
}
