//! Unfinished files and folders: on the file system of the buckets, read by nobody else.
//!
//! Each is locked by its maker, so that a sweep knows what was left behind by a crash. Moving
//! what is finished into place is the business of `publish`.

use std::fs::{DirBuilder, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Mode, OFlags, flock};

use crate::lease::{self, Lease};
use crate::{Bucket, Cache, CacheError, lock, names, removal};

/// The folder of a staging folder's content.
pub(crate) const TREE: &str = "tree";

/// A file that is being written; removed on drop unless it was published.
#[derive(Debug)]
pub struct StagingFile {
    file: File,
    path: PathBuf,
    moved: bool,
}

/// A folder that is being filled; removed on drop, whatever is left of it.
#[derive(Debug)]
pub struct StagingDir {
    tree: PathBuf,
    home: LeasedDir,
}

/// A folder in the staging bucket with a lease that this process holds.
#[derive(Debug)]
pub(crate) struct LeasedDir {
    pub(crate) path: PathBuf,
    pub(crate) dir: OwnedFd,
    pub(crate) lease: Lease,
}

impl Cache {
    /// Starts a file in the staging bucket.
    ///
    /// # Errors
    /// If it can not be created.
    pub fn staging_file(&self) -> Result<StagingFile, CacheError> {
        let path = self.staging_path()?;
        let failed = |source: io::Error| CacheError::io("create", &path, source);
        let creation = self.root_lock(lock::Mode::Shared)?;
        let file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        flock(&file, FlockOperation::NonBlockingLockExclusive)
            .map_err(|errno| failed(errno.into()))?;
        drop(creation);
        Ok(StagingFile {
            file,
            path,
            moved: false,
        })
    }

    /// Starts a folder in the staging bucket.
    ///
    /// # Errors
    /// If it can not be created.
    pub fn staging_dir(&self) -> Result<StagingDir, CacheError> {
        let creation = self.root_lock(lock::Mode::Shared)?;
        let home = self.leased_dir("")?;
        drop(creation);
        let tree = home.path.join(TREE);
        let staged = StagingDir { tree, home };
        DirBuilder::new()
            .mode(0o700)
            .create(&staged.tree)
            .map_err(|source| CacheError::io("create the folder", &staged.tree, source))?;
        Ok(staged)
    }

    /// Makes a leased folder; the root's lock is held by the caller meanwhile.
    pub(crate) fn leased_dir(&self, name: &str) -> Result<LeasedDir, CacheError> {
        LeasedDir::create(self.staging_path()?, name)
    }

    /// Returns a path in the staging bucket that nobody uses.
    pub(crate) fn staging_path(&self) -> Result<PathBuf, CacheError> {
        let bucket = self.bucket(Bucket::Staging);
        let name =
            names::staging().map_err(|source| CacheError::io("find a name in", &bucket, source))?;
        Ok(bucket.join(name))
    }
}

/// How folders of ours are opened.
pub(crate) fn dir_flags() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC
}

impl LeasedDir {
    /// Makes a folder with a lease for `name`.
    pub(crate) fn create(path: PathBuf, name: &str) -> Result<Self, CacheError> {
        let failed = |source: io::Error| CacheError::io("create the folder", &path, source);
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(failed)?;
        let made = rustix::fs::open(&path, dir_flags(), Mode::empty())
            // In a volume of a group, as orchestrators make them, folders inherit a set-group-id bit, which builds
            // could neither set on what they copy nor see on what we lay out.
            .and_then(|dir| rustix::fs::fchmod(&dir, Mode::RWXU).map(|()| dir))
            .map_err(|errno| failed(errno.into()))
            .and_then(|dir| Ok((Lease::create(dir.as_fd(), &path, name)?, dir)));
        let (lease, dir) = made.inspect_err(|_| {
            // As on a full disk: there is room for the folder and none for the lease.
            let _ = std::fs::remove_dir_all(&path);
        })?;
        Ok(Self { path, dir, lease })
    }

    /// Removes everything, the lease last.
    pub(crate) fn remove(&self) -> removal::Removed {
        let mut removed = removal::empty(self.dir.as_fd(), Some(lease::NAME));
        if removed.is_complete() {
            removed.unlink_lease(self.dir.as_fd(), &self.path);
        }
        removed
    }
}

impl StagingDir {
    /// Returns the folder to fill.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.tree
    }
}

impl Drop for StagingDir {
    fn drop(&mut self) {
        let removed = self.home.remove();
        if let Err(error) = removed.into_result(&self.home.path) {
            tracing::warn!(%error, "an unfinished folder stays behind");
        }
    }
}

impl StagingFile {
    /// Returns where it is while it is unfinished.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the open file.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Makes it readable and syncs its bytes.
    pub(crate) fn finish(&self) -> Result<(), CacheError> {
        self.file
            .set_permissions(std::fs::Permissions::from_mode(0o644))
            .and_then(|()| self.file.sync_all())
            .map_err(|source| CacheError::io("sync", &self.path, source))
    }

    /// Notes that it has another name now.
    pub(crate) fn moved(mut self) {
        self.moved = true;
    }
}

impl Drop for StagingFile {
    fn drop(&mut self) {
        if !self.moved
            && let Err(error) = std::fs::remove_file(&self.path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(path = %self.path.display(), %error, "an unfinished file stays behind");
        }
    }
}

impl Write for StagingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Read for StagingFile {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.file.read(into)
    }
}

impl Seek for StagingFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}
