//! Layers: caches that are only read, below the one that is written.
//!
//! A layer may be mounted at another path than it was made at: what is kept names its parts by
//! digest or relative to the root. Nothing is ever written, healed or swept there; what is damaged
//! in a layer is as if it were not there, and is made anew in the root above it.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::mark::Ownership;
use crate::{Bucket, Cache, CacheError, record};

/// The buckets that are shared between layers; logs, locks and unfinished things are not.
const SHARED: [Bucket; 8] = [
    Bucket::Sources,
    Bucket::Downloads,
    Bucket::Simple,
    Bucket::Pointers,
    Bucket::Revisions,
    Bucket::Interpreters,
    Bucket::Environments,
    Bucket::Wheels,
];

/// One of the roots that a cache consists of: its own, or one that is only read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    root: PathBuf,
    writable: bool,
}

impl Layer {
    /// Opens a cache that is only read. The rules of ownership are those of a root: whoever can
    /// write it decides what is installed. An empty directory is a layer that holds nothing.
    ///
    /// # Errors
    /// If the place is missing, foreign, unsafe or can not be read.
    pub fn open(root: &Path) -> Result<Self, CacheError> {
        let unusable = |source| CacheError::Layer {
            root: root.to_owned(),
            source,
        };
        let absolute = std::path::absolute(root).map_err(unusable)?;
        match Cache::judge(&absolute) {
            Ok((cache, Ownership::Marked | Ownership::Empty)) => Ok(Self {
                root: cache.root().to_owned(),
                writable: false,
            }),
            Ok((cache, Ownership::Foreign)) => Err(CacheError::NotOurs {
                root: cache.root().to_owned(),
            }),
            Err(CacheError::Place { source, .. }) => Err(unusable(source)),
            Err(error) => Err(error),
        }
    }

    /// Returns the root of this layer, absolute and without links.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether this is the root that is written.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.writable
    }

    /// Returns the folder of `bucket` in this layer.
    #[must_use]
    pub fn bucket(&self, bucket: Bucket) -> PathBuf {
        self.root.join(bucket.folder())
    }

    /// Reads a record of this layer alone; see [`Cache::read_record`].
    pub fn read_record<T: DeserializeOwned>(&self, path: &Path) -> Option<T> {
        record::read_one(path)
    }
}

impl Cache {
    /// Returns the roots that this cache consists of, the one that is written first.
    pub fn layers(&self) -> impl Iterator<Item = Layer> + '_ {
        let own = Layer {
            root: self.root().to_owned(),
            writable: true,
        };
        std::iter::once(own).chain(self.lower().iter().cloned())
    }

    /// Returns where an entry may lie, the root that is written first: `path` is one inside it.
    pub(crate) fn candidates(&self, path: &Path) -> impl Iterator<Item = PathBuf> + '_ {
        let inside = path
            .strip_prefix(self.root())
            .ok()
            .filter(|inside| SHARED.iter().any(|one| inside.starts_with(one.folder())))
            .map(Path::to_owned);
        let below = self
            .lower()
            .iter()
            .filter_map(move |layer| Some(layer.root.join(inside.as_ref()?)));
        std::iter::once(path.to_owned()).chain(below)
    }

    /// Returns where an entry lies: in the root, in the first layer below that has it, or where it
    /// would be in the root.
    #[must_use]
    pub fn locate(&self, path: &Path) -> PathBuf {
        self.candidates(path)
            .find(|place| place.symlink_metadata().is_ok())
            .unwrap_or_else(|| path.to_owned())
    }
}
