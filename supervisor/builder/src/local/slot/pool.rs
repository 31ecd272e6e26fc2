//! The slots that idle: by what must be equal for a build to be served, ended when nobody comes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cache::Cache;
use futures::future::join_all;
use model::Sha256;
use protocol::Namespaces;
use rustix::fs::{Mode, OFlags, openat};
use tokio::runtime::Handle;

use super::{Place, Slot};
use crate::assignment::SLOT_ROOM;
use crate::error::BuildError;
use crate::furnished;
use crate::local::UidLease;

/// How long a slot idles.
const IDLE: Duration = Duration::from_secs(60);

/// What must be equal for a slot to serve a build: environment, backend, grants, variables, limits, floor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Terms(Sha256);

impl Terms {
    /// The terms that are written in `text`.
    pub(crate) fn of(text: &str) -> Self {
        Self(Sha256::of(text))
    }
}

/// A slot for one build: one that idled, or the place for a new one. One that nobody makes use of is ended.
#[derive(Debug)]
pub(crate) struct Lease {
    terms: Terms,
    scratch: PathBuf,
    uid: Option<Arc<UidLease>>,
    slot: Option<Result<Box<Slot>, Place>>,
    /// Slots that may idle at a time.
    pub(in crate::local) most: usize,
}

impl Lease {
    /// Leases `slot`, which is one of at most `most` when it idles.
    pub(in crate::local) fn new(terms: Terms, slot: Result<Box<Slot>, Place>, most: usize) -> Self {
        let place = match &slot {
            Ok(slot) => &slot.place,
            Err(place) => place,
        };
        Self {
            terms,
            scratch: place.scratch.path().to_owned(),
            uid: place.uid.clone(),
            slot: Some(slot),
            most,
        }
    }

    /// Takes it, once.
    pub(in crate::local) fn take(&mut self) -> Option<Result<Box<Slot>, Place>> {
        self.slot.take()
    }

    /// Returns what must be equal.
    pub(crate) fn terms(&self) -> Terms {
        self.terms
    }

    /// Returns the scratch of the slot, which is not that of the build.
    pub(crate) fn scratch(&self) -> &Path {
        &self.scratch
    }

    /// Returns the uid of the slot.
    pub(crate) fn uid(&self) -> Option<Arc<UidLease>> {
        self.uid.clone()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let (Some(Ok(slot)), Ok(runtime)) = (self.take(), Handle::try_current()) {
            runtime.spawn(slot.end());
        }
    }
}

impl Place {
    /// Makes the place of a new slot.
    pub(in crate::local) fn new(
        cache: &Cache,
        namespaces: Namespaces,
        uid: Option<UidLease>,
    ) -> Result<Self, BuildError> {
        let scratch = cache.scratch()?;
        let path = scratch.room('b')?;
        if namespaces == Namespaces::None {
            furnished::bound(&path)?;
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = openat(scratch.dir(), SLOT_ROOM, flags, Mode::empty());
        let folder = folder.and_then(|folder| {
            // A uid of its own passes through.
            rustix::fs::fchmod(&folder, Mode::from_raw_mode(0o755))?;
            Ok(folder)
        });
        let folder = folder.map_err(|errno| BuildError::Io {
            doing: "open",
            path,
            source: errno.into(),
        })?;
        Ok(Self {
            scratch,
            folder,
            uid: uid.map(Arc::new),
        })
    }
}

/// The pool.
#[derive(Debug, Default)]
pub(in crate::local) struct Pool(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// The oldest first, each with a number of its own.
    idle: Vec<(u64, Terms, Slot)>,
    /// Terms under which a slot is of no use.
    unfit: BTreeSet<Terms>,
    next: u64,
    is_closed: bool,
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a slot under `terms` may be of use.
    pub(in crate::local) fn may_serve(&self, terms: &Terms) -> bool {
        let kept = self.lock();
        !kept.is_closed && !kept.unfit.contains(terms)
    }

    /// Takes note that slots under `terms` are of no use, and returns those that idle.
    pub(in crate::local) fn forgo(&self, terms: Terms) -> Vec<Slot> {
        let mut kept = self.lock();
        kept.unfit.insert(terms);
        kept.take_all(|idle| *idle == terms)
    }

    /// Takes a slot that idles under `terms`.
    pub(in crate::local) fn take(&self, terms: &Terms) -> Option<Box<Slot>> {
        let mut kept = self.lock();
        let found = kept.idle.iter().rposition(|(_, idle, _)| idle == terms)?;
        Some(Box::new(kept.idle.remove(found).2))
    }

    /// Takes the slot that has idled longest.
    pub(in crate::local) fn take_oldest(&self) -> Option<Slot> {
        let mut kept = self.lock();
        (!kept.idle.is_empty()).then(|| kept.idle.remove(0).2)
    }

    /// Takes every slot, and keeps none from now on.
    pub(in crate::local) fn close(&self) -> Vec<Slot> {
        let mut kept = self.lock();
        kept.is_closed = true;
        kept.take_all(|_| true)
    }

    /// Lets a slot idle, for a while, among at most `most`. Returns those that are one too many.
    pub(in crate::local) fn put(
        self: &Arc<Self>,
        terms: Terms,
        slot: Box<Slot>,
        most: usize,
    ) -> Vec<Slot> {
        let mut kept = self.lock();
        if kept.is_closed {
            return vec![*slot];
        }
        let number = kept.next;
        kept.next += 1;
        kept.idle.push((number, terms, *slot));
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

impl Kept {
    fn take_all(&mut self, which: impl Fn(&Terms) -> bool) -> Vec<Slot> {
        let (taken, idle) = std::mem::take(&mut self.idle)
            .into_iter()
            .partition(|(_, terms, _)| which(terms));
        self.idle = idle;
        taken.into_iter().map(|(_, _, slot)| slot).collect()
    }
}

/// Ends slots, side by side.
pub(in crate::local) async fn end_all(slots: Vec<Slot>) {
    join_all(slots.into_iter().map(|slot| slot.end())).await;
}
