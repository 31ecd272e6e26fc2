//! The lease of a slot for one build, and the place of a new one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cache::Cache;
use model::Sha256;
use protocol::Namespaces;
use rustix::fs::{Mode, OFlags, openat};
use tokio::runtime::Handle;

use super::{Place, Slot};
use crate::assignment::SLOT_ROOM;
use crate::error::BuildError;
use crate::furnished;
use crate::local::UidLease;

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
