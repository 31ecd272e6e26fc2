//! Moving finished things into place: the only file of the cache that renames.
//!
//! Write, sync the file, rename, sync the directory: whoever sees a name sees all of its bytes,
//! also after a crash. Publishing the same name twice is not an error.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::discard::is_gone;
use crate::root::sync_dir;
use crate::{Cache, CacheError, StagingDir, StagingFile};

/// How many threads sync a tree besides the one that asks.
const SYNCING: usize = 12;
/// How often a name is tried whose folder goes away.
const TRIES: usize = 16;

/// Whether a publication made the name or found it there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// The name is new.
    New,
    /// Somebody had published it before; what was staged is gone.
    Existed,
}

impl Cache {
    /// Publishes a file under `to` (a path inside the cache), with mode 0644; what is there
    /// already stays.
    ///
    /// # Errors
    /// If the path is outside, or writing fails.
    pub fn publish_file(&self, file: StagingFile, to: &Path) -> Result<Published, CacheError> {
        file.finish()?;
        let published = self
            .with_parents(to, || move_file(file.path(), to))?
            .map_err(|source| CacheError::io("publish the file", to, source))?;
        if published == Published::New {
            file.moved();
            sync_parent(to)?;
        }
        Ok(published)
    }

    /// Publishes a file under `to`, in place of what is there.
    ///
    /// # Errors
    /// If the path is outside, or writing fails.
    pub fn replace_file(&self, file: StagingFile, to: &Path) -> Result<(), CacheError> {
        file.finish()?;
        self.with_parents(to, || move_over(file.path(), to))?
            .map_err(|source| CacheError::io("replace the file", to, source))?;
        file.moved();
        sync_parent(to)
    }

    /// Publishes a folder under `to`, with mode 0755; what is there already stays.
    ///
    /// # Errors
    /// If the path is outside, or writing fails.
    pub fn publish_dir(&self, dir: StagingDir, to: &Path) -> Result<Published, CacheError> {
        self.make_parents(to)?;
        if to.exists() {
            return Ok(Published::Existed);
        }
        sync_tree(dir.path())?;
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755))
            .map_err(|source| CacheError::io("open to readers", dir.path(), source))?;
        let published = self
            .with_parents(to, || move_dir(dir.path(), to))?
            .map_err(|source| CacheError::io("publish the folder", to, source))?;
        if published == Published::New {
            sync_parent(to)?;
        }
        Ok(published)
    }

    /// Moves something to `to` after the folders above it were made. A removal beside us may take
    /// such a folder while it is empty: then it is made again.
    fn with_parents<T>(
        &self,
        to: &Path,
        mut publish: impl FnMut() -> io::Result<T>,
    ) -> Result<io::Result<T>, CacheError> {
        for _ in 1..TRIES {
            match self.make_parents(to) {
                Err(CacheError::Io { source, .. }) if is_gone(&source) => continue,
                made => made?,
            }
            match publish() {
                Err(error) if is_gone(&error) => {}
                done => return Ok(done),
            }
        }
        self.make_parents(to)?;
        Ok(publish())
    }
}

/// Moves a file to a name that must be free. Does not sync.
pub(crate) fn move_file(from: &Path, to: &Path) -> io::Result<Published> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(Published::New),
        Err(Errno::EXIST) => Ok(Published::Existed),
        Err(error) if !lacks_no_replace(error) => Err(error.into()),
        Err(_) => link_file(from, to),
    }
}

/// Moves a file to a name that must be free, where no rename can promise that: a link is as
/// atomic and as unwilling to replace.
fn link_file(from: &Path, to: &Path) -> io::Result<Published> {
    match rustix::fs::link(from, to) {
        Ok(()) => {
            rustix::fs::unlink(from)?;
            Ok(Published::New)
        }
        Err(Errno::EXIST) => Ok(Published::Existed),
        // No links either: names are made of digests, so replacing an equal file does no harm.
        Err(_) if fs::symlink_metadata(to).is_ok() => Ok(Published::Existed),
        Err(_) => {
            rustix::fs::rename(from, to)?;
            Ok(Published::New)
        }
    }
}

/// Moves a folder to a name that must be free (an empty folder may be there). Does not sync.
pub(crate) fn move_dir(from: &Path, to: &Path) -> io::Result<Published> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(Published::New),
        Err(Errno::EXIST) => Ok(Published::Existed),
        Err(error) if !lacks_no_replace(error) => Err(error.into()),
        Err(_) => rename_dir(from, to),
    }
}

/// Moves a folder out of sight, from a name in an open folder to a free one in another.
pub(crate) fn move_out(
    from: (BorrowedFd<'_>, &OsStr),
    to: (BorrowedFd<'_>, &OsStr),
) -> rustix::io::Result<()> {
    rustix::fs::renameat(from.0, from.1, to.0, to.1)
}

/// Moves a folder where no rename can promise to replace nothing: a plain one never replaces a
/// folder that holds something, nor a file.
fn rename_dir(from: &Path, to: &Path) -> io::Result<Published> {
    match rustix::fs::rename(from, to) {
        Ok(()) => Ok(Published::New),
        Err(Errno::EXIST | Errno::NOTEMPTY | Errno::NOTDIR) => Ok(Published::Existed),
        Err(error) => Err(error.into()),
    }
}

/// Moves a file over whatever has the name. Does not sync.
pub(crate) fn move_over(from: &Path, to: &Path) -> io::Result<()> {
    Ok(rustix::fs::rename(from, to)?)
}

/// Whether the error says that kernel, filter or file system know no `RENAME_NOREPLACE`.
fn lacks_no_replace(error: Errno) -> bool {
    matches!(error, Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP)
}

fn sync_parent(path: &Path) -> Result<(), CacheError> {
    path.parent().map_or(Ok(()), sync_dir)
}

/// Syncs every file and folder of a tree of ours; links have no bytes of their own.
///
/// File by file and not the whole file system, on which builds may be writing much; but several
/// at a time, because then they share the journal's commits.
///
/// # Errors
/// If something can not be listed or synced.
pub fn sync_tree(tree: &Path) -> Result<(), CacheError> {
    let mut places = vec![tree.to_owned()];
    let mut folders = vec![tree.to_owned()];
    while let Some(folder) = folders.pop() {
        let failed = |source| CacheError::io("list", &folder, source);
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let kind = entry.file_type().map_err(failed)?;
            if kind.is_dir() {
                folders.push(entry.path());
            }
            if kind.is_dir() || kind.is_file() {
                places.push(entry.path());
            }
        }
    }
    let next = AtomicUsize::new(0);
    let sync_some = || -> Result<(), CacheError> {
        while let Some(place) = places.get(next.fetch_add(1, Ordering::Relaxed)) {
            fs::File::open(place)
                .and_then(|open| open.sync_all())
                .map_err(|source| CacheError::io("sync", place, source))?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let helpers = SYNCING.min(places.len() / 16);
        // One that can not be started is one helper less.
        let started: Vec<_> = (0..helpers)
            .filter_map(|_| {
                std::thread::Builder::new()
                    .spawn_scoped(scope, sync_some)
                    .ok()
            })
            .collect();
        let here = sync_some();
        started
            .into_iter()
            .map(|helper| helper.join().unwrap_or_else(|_| sync_some()))
            .fold(here, Result::and)
    })
}

#[cfg(test)]
mod tests;
