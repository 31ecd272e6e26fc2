//! Removing what has a name: taken out of sight first, then emptied.
//!
//! A crash in between leaves something in the staging bucket with a lease, which a sweep knows.
//! How a tree is emptied is in `removal`.

use std::fs;
use std::io;
use std::os::fd::AsFd as _;
use std::path::Path;

use crate::publish::{self, Published};
use crate::staging::LeasedDir;
use crate::{Cache, CacheError, lease, lock, removal};

impl Cache {
    /// Removes an entry of a bucket, a file or a folder with all that is in it. What is not there
    /// is no error. Nobody sees a folder half removed: it loses its name first.
    ///
    /// # Errors
    /// If the path is outside of the cache, or something could not be removed.
    pub fn remove(&self, path: &Path) -> Result<(), CacheError> {
        self.inside(path)?;
        let found = match fs::symlink_metadata(path) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(source) => return Err(CacheError::io("look at", path, source)),
        };
        if !found.is_dir() {
            return match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    Err(CacheError::io("remove", path, error))
                }
                _ => Ok(()),
            };
        }
        let creation = self.root_lock(lock::Mode::Shared)?;
        let home = self.leased_dir("")?;
        drop(creation);
        let moved = publish::move_dir(path, &home.path.join(crate::staging::TREE));
        let removed = home.remove();
        match moved {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(CacheError::io("remove", path, error))
            }
            _ => removed.into_result(path).map(|_| ()),
        }
    }

    /// Removes a leased folder at the root: its content, then its name, then its lease.
    pub(crate) fn discard(&self, home: &mut LeasedDir) -> removal::Removed {
        if let Some(place) = self.scratch_place()
            && home.path.parent() == Some(place.path())
        {
            return place.discard(home);
        }
        let mut removed = removal::empty(home.dir.as_fd(), Some(lease::NAME));
        if !removed.is_complete() {
            return removed;
        }
        if let Ok(to) = self.staging_path()
            && let Ok(Published::New) = publish::move_dir(&home.path, &to)
        {
            home.path = to;
        }
        removed.unlink_lease(home.dir.as_fd(), &home.path);
        removed
    }
}
