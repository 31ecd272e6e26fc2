//! Removing what has a name: taken out of sight first, then emptied.
//!
//! Every folder on the way is opened by its single name and never through a link, so that a link
//! in the place of a bucket leads nowhere. A crash in between leaves something in the staging
//! bucket with a lease, which a sweep knows. How a tree is emptied is in `removal`.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Component, Path};

use rustix::fs::{AtFlags, FileType, Mode, openat, statat, unlinkat};
use rustix::io::Errno;

use crate::entry_lease::EntryClaim;
use crate::publish::{self, Published};
use crate::staging::{LeasedDir, dir_flags};
use crate::{Cache, CacheError, lease, lock, removal};

impl Cache {
    /// Removes an entry of a bucket, a file or a folder with all that is in it. What is not there
    /// is no error. Nobody sees a folder half removed: it loses its name first.
    ///
    /// # Errors
    /// If the path is outside of the cache, or something could not be removed.
    pub fn remove(&self, path: &Path) -> Result<(), CacheError> {
        self.remove_claimed(path, None)
    }

    /// The same; the claim ends as soon as the entry is out of sight.
    pub(crate) fn remove_claimed(
        &self,
        path: &Path,
        claim: Option<EntryClaim>,
    ) -> Result<(), CacheError> {
        self.inside(path)?;
        let failed = |errno: Errno| CacheError::io("remove", path, errno);
        let Some(parent) = self.open_parent(path)? else {
            return Ok(());
        };
        let name = path.file_name().unwrap_or_default();
        let found = match statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => found,
            Err(Errno::NOENT) => return Ok(()),
            Err(errno) => return Err(failed(errno)),
        };
        if FileType::from_raw_mode(found.st_mode) != FileType::Directory {
            return match unlinkat(&parent, name, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => Ok(()),
                Err(errno) => Err(failed(errno)),
            };
        }
        let creation = self.root_lock(lock::Mode::Shared)?;
        let home = self.leased_dir("")?;
        drop(creation);
        let moved = take_out(&parent, name, &home);
        drop(claim);
        let removed = home.remove();
        match moved {
            Ok(()) | Err(Errno::NOENT) => removed.into_result(path).map(|_| ()),
            Err(errno) => Err(failed(errno)),
        }
    }

    /// Removes the folders between a bucket and the place of an entry, as far as they are empty.
    pub(crate) fn remove_empty_parents(&self, path: &Path) {
        let Ok(rest) = path.strip_prefix(self.root()) else {
            return;
        };
        // The root and the bucket itself stay.
        for folder in rest.ancestors().skip(1) {
            if folder.components().count() < 2 {
                return;
            }
            let place = self.root().join(folder);
            let Ok(Some(parent)) = self.open_parent(&place) else {
                return;
            };
            let name = folder.file_name().unwrap_or_default();
            if unlinkat(&parent, name, AtFlags::REMOVEDIR).is_err() {
                return;
            }
        }
    }

    /// Opens the folder that holds `path`, one name at a time and through no link; none if it is
    /// not there.
    pub(crate) fn open_parent(&self, path: &Path) -> Result<Option<OwnedFd>, CacheError> {
        let failed = |errno: Errno| CacheError::io("open the folder of", path, errno);
        let rest = path.strip_prefix(self.root()).unwrap_or(path);
        let mut here = rustix::fs::open(self.root(), dir_flags(), Mode::empty()).map_err(failed)?;
        for part in rest.parent().unwrap_or(rest).components() {
            let Component::Normal(name) = part else {
                continue;
            };
            here = match openat(&here, name, dir_flags(), Mode::empty()) {
                Ok(next) => next,
                Err(Errno::NOENT) => return Ok(None),
                Err(Errno::ACCESS) => {
                    removal::unlock(here.as_fd(), name).map_err(failed)?;
                    openat(&here, name, dir_flags(), Mode::empty()).map_err(failed)?
                }
                Err(errno) => return Err(failed(errno)),
            };
        }
        Ok(Some(here))
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

/// Moves a folder out of sight, also if its mode forbids to move it.
fn take_out(parent: &OwnedFd, name: &OsStr, home: &LeasedDir) -> rustix::io::Result<()> {
    let to = (home.dir.as_fd(), OsStr::new(crate::staging::TREE));
    match publish::move_out((parent.as_fd(), name), to) {
        Err(Errno::ACCESS) => {
            removal::unlock(parent.as_fd(), name)?;
            publish::move_out((parent.as_fd(), name), to)
        }
        other => other,
    }
}

/// Turns an error of the system into words that say what it was about.
pub(crate) fn in_words(error: &CacheError) -> String {
    let reason = std::error::Error::source(error)
        .map(|source: &(dyn std::error::Error + 'static)| format!(": {source}"))
        .unwrap_or_default();
    format!("{error}{reason}")
}

/// Whether an error says that something is not there.
pub(crate) fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}
