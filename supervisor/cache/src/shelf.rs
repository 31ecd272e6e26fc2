//! The layout of the bucket of built wheels.
//!
//! `wheels-v1/<name>/<version>/<key>/{<wheel>, record.json}`, and because name and version of a
//! source are known only after its build, `wheels-v1/by-key/<key>.json` says where the folder is.
//! What a record says is the business of the crate that writes it.

use std::path::{Component, Path, PathBuf};

use model::{PackageName, Sha256, Version};
use serde::{Deserialize, Serialize};

use crate::root::sync_dir;
use crate::{Bucket, Cache, CacheError, record};

/// The folder of the pointers from keys; no project is called so, for a project's name that ends
/// in a wheel's folder has a version below it.
pub(crate) const BY_KEY: &str = "by-key";
/// The record's name in a wheel's folder.
pub(crate) const RECORD: &str = "record.json";

/// Where the wheel of a key is.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct WheelPointer {
    /// Relative to the bucket.
    pub(crate) folder: PathBuf,
}

impl Cache {
    /// Returns where the wheel of a build is or would be.
    #[must_use]
    pub fn wheel_folder(&self, name: &PackageName, version: &Version, key: &Sha256) -> PathBuf {
        self.bucket(Bucket::Wheels)
            .join(name.to_string())
            .join(version.to_string())
            .join(key.to_string())
    }

    /// Returns the folders that a key leads to, the one in the root first, then those in the
    /// layers below.
    pub fn find_wheels(&self, key: &Sha256) -> impl Iterator<Item = PathBuf> + '_ {
        let key = *key;
        self.layers()
            .filter_map(move |layer| led_to(&layer.bucket(Bucket::Wheels), &key))
    }

    /// Returns every folder that may hold a wheel, those in the root first.
    pub fn wheel_folders(&self) -> impl Iterator<Item = PathBuf> + '_ {
        self.layers().flat_map(|layer| {
            let mut folders = vec![layer.bucket(Bucket::Wheels)];
            // `<name>/<version>/<key>`
            for _ in 0..3 {
                folders = folders.iter().flat_map(|folder| inside(folder)).collect();
            }
            folders
        })
    }

    /// Returns every folder that may hold a wheel of a package.
    pub fn wheel_folders_of(&self, name: &PackageName) -> impl Iterator<Item = PathBuf> + '_ {
        let name = name.to_string();
        self.layers().flat_map(move |layer| {
            let versions = inside(&layer.bucket(Bucket::Wheels).join(&name));
            let folders = versions.iter().flat_map(|version| inside(version));
            folders.collect::<Vec<_>>()
        })
    }

    /// Returns the folder in the root that a key leads to.
    pub(crate) fn own_wheel(&self, key: &Sha256) -> Option<PathBuf> {
        led_to(&self.bucket(Bucket::Wheels), key)
    }

    /// Whether a key leads to a wheel with a record.
    pub(crate) fn leads(&self, key: &Sha256) -> bool {
        self.own_wheel(key)
            .is_some_and(|folder| folder.join(RECORD).is_file())
    }

    /// Makes a key lead to a folder of the bucket.
    ///
    /// # Errors
    /// If the folder is elsewhere, or writing fails.
    pub fn point_to_wheel(&self, key: &Sha256, folder: &Path) -> Result<(), CacheError> {
        let relative = folder.strip_prefix(self.bucket(Bucket::Wheels));
        let folder = relative.map_err(|_| CacheError::Outside {
            path: folder.to_owned(),
        })?;
        let pointer = WheelPointer {
            folder: folder.to_owned(),
        };
        self.write_record(&self.wheel_pointer(key), &pointer)
    }

    /// Removes a wheel's folder, and first the way from its key, so that an interruption leaves a
    /// sound state.
    ///
    /// # Errors
    /// If it can not be removed, or is not in the root.
    pub fn remove_wheel(&self, key: &Sha256, folder: &Path) -> Result<(), CacheError> {
        self.inside(folder)?;
        self.part_from_key(key, folder)?;
        self.remove(folder)
    }

    /// Removes the way from a key to a wheel, if it leads there. Synced, so that also after a power
    /// loss no key leads to a wheel that went after it.
    pub(crate) fn part_from_key(&self, key: &Sha256, folder: &Path) -> Result<(), CacheError> {
        if self.own_wheel(key).as_deref() != Some(folder) {
            return Ok(());
        }
        let pointer = self.wheel_pointer(key);
        self.remove(&pointer)?;
        pointer.parent().map_or(Ok(()), sync_dir)
    }

    /// Holds the wheel of a key, whether it is there yet or not.
    pub fn hold_wheel(&self, key: &Sha256) {
        self.hold(&self.wheel_pointer(key));
    }

    /// Returns the record that says where the wheel of a key is; the lease of both goes by it.
    pub(crate) fn wheel_pointer(&self, key: &Sha256) -> PathBuf {
        pointer_in(&self.bucket(Bucket::Wheels), key)
    }
}

fn pointer_in(bucket: &Path, key: &Sha256) -> PathBuf {
    bucket.join(BY_KEY).join(format!("{key}.json"))
}

fn led_to(bucket: &Path, key: &Sha256) -> Option<PathBuf> {
    let pointer: WheelPointer = record::read_one(&pointer_in(bucket, key))?;
    is_plain(&pointer.folder).then(|| bucket.join(pointer.folder))
}

fn is_plain(path: &Path) -> bool {
    path.components().next().is_some()
        && path
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
}

fn inside(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}
