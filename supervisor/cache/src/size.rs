//! How much the buckets hold.

use std::fs;
use std::io;
use std::path::Path;

use crate::{Bucket, Cache, CacheError};

/// Files and their bytes; links count for nothing and are not followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Regular files.
    pub files: u64,
    /// Bytes in them, as their lengths say.
    pub bytes: u64,
}

impl Cache {
    /// Returns what each bucket holds, in the order of [`Bucket::ALL`].
    ///
    /// # Errors
    /// If a folder can not be listed; what vanishes meanwhile is no error, and what may not be
    /// read is not counted.
    pub fn sizes(&self) -> Result<Vec<(Bucket, Size)>, CacheError> {
        Bucket::ALL
            .into_iter()
            .map(|bucket| Ok((bucket, measure(&self.bucket(bucket))?)))
            .collect()
    }
}

fn measure(top: &Path) -> Result<Size, CacheError> {
    let mut size = Size::default();
    let mut folders = vec![top.to_owned()];
    while let Some(folder) = folders.pop() {
        let Some(entries) = unless_gone(fs::read_dir(&folder), &folder)? else {
            continue;
        };
        for entry in entries {
            let Some(entry) = unless_gone(entry, &folder)? else {
                continue;
            };
            let path = entry.path();
            let Some(found) = unless_gone(entry.metadata(), &path)? else {
                continue;
            };
            if found.is_dir() {
                folders.push(path);
            } else if found.is_file() {
                size.files += 1;
                size.bytes += found.len();
            }
        }
    }
    Ok(size)
}

fn unless_gone<T>(result: io::Result<T>, path: &Path) -> Result<Option<T>, CacheError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied
            ) =>
        {
            Ok(None)
        }
        Err(source) => Err(CacheError::io("look at", path, source)),
    }
}
