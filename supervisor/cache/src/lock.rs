//! Advisory locks between processes (and threads), one file a name in [`Bucket::Locks`].
//!
//! A lock is `flock` on a file of its own; it ends with the process that holds it.

use std::fs::File;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant, SystemTime};

use model::Sha256;
use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;

use crate::{Bucket, Cache, CacheError};

/// The lock under which scratches are created (shared) and swept (alone).
const ROOT: &str = "root";
/// How long the root's lock is waited for; on a slow disk a moment can be seconds.
const MOMENTS: Duration = Duration::from_secs(60);

/// A lock that is held until this is dropped.
#[derive(Debug)]
#[must_use = "the lock ends when this is dropped"]
pub struct Lock {
    file: File,
}

/// Who else may hold the lock at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Shared,
    Alone,
}

impl Cache {
    /// Takes the lock `name`. If someone else holds it, `on_wait` is called once and the lock is
    /// waited for, at most `wait`; `what` says in an error what people call that which is locked.
    ///
    /// # Errors
    /// If the time is up, or the lock file can not be used.
    pub fn lock(
        &self,
        name: &str,
        what: &str,
        wait: Duration,
        on_wait: &mut dyn FnMut(),
    ) -> Result<Lock, CacheError> {
        lock_file(&self.lock_path(name), what, wait, on_wait)
    }

    /// Takes the lock `name`, unless someone else holds it.
    ///
    /// # Errors
    /// If the lock file can not be used.
    pub fn lock_if_free(&self, name: &str) -> Result<Option<Lock>, CacheError> {
        let path = self.lock_path(name);
        loop {
            let file = open(&path)?;
            if !try_lock(&file, &path, FlockOperation::NonBlockingLockExclusive)? {
                return Ok(None);
            }
            if is_current(&file, &path)? {
                return Ok(Some(Lock { file }));
            }
        }
    }

    /// Takes the lock `name` if nobody did so within the last `every` by this way, and nobody holds it. The time on its
    /// file is that of the last one who did; one that is yet to come was set by another clock, and says nothing.
    ///
    /// # Errors
    /// If the lock file can not be used.
    pub(crate) fn lock_if_due(
        &self,
        name: &str,
        every: Duration,
        now: SystemTime,
    ) -> Result<Option<Lock>, CacheError> {
        let path = self.lock_path(name);
        let last = std::fs::symlink_metadata(&path).and_then(|found| found.modified());
        let since = last.ok().and_then(|last| now.duration_since(last).ok());
        if since.is_some_and(|since| since < every) {
            return Ok(None);
        }
        let Some(lock) = self.lock_if_free(name)? else {
            return Ok(None);
        };
        let marked = lock.file.set_modified(now);
        marked.map_err(|source| CacheError::io("set the time of the lock", &path, source))?;
        Ok(Some(lock))
    }

    /// Takes the root's lock. It is held for moments only: whoever has it for [`MOMENTS`] hangs.
    pub(crate) fn root_lock(&self, mode: Mode) -> Result<Lock, CacheError> {
        let path = self.bucket(Bucket::Locks).join(ROOT);
        let (at_once, operation) = match mode {
            Mode::Shared => (
                FlockOperation::NonBlockingLockShared,
                FlockOperation::LockShared,
            ),
            Mode::Alone => (
                FlockOperation::NonBlockingLockExclusive,
                FlockOperation::LockExclusive,
            ),
        };
        let file = open(&path).map_err(|error| match error {
            CacheError::Io { source, .. } => CacheError::place(self.root(), source),
            other => other,
        })?;
        let file = match rustix::io::retry_on_intr(|| flock(&file, at_once)) {
            Ok(()) => file,
            Err(Errno::WOULDBLOCK) => {
                wait_for(file, &path, operation, MOMENTS)?.ok_or(CacheError::LockTimeout {
                    name: "the cache's root".to_owned(),
                    waited: MOMENTS,
                })?
            }
            Err(source) => return Err(CacheError::place(self.root(), source)),
        };
        Ok(Lock { file })
    }

    fn lock_path(&self, name: &str) -> PathBuf {
        let digest = Sha256::of(name).to_string();
        self.bucket(Bucket::Locks).join(&digest[..32])
    }
}

/// Takes the lock that the file at `path` stands for, outside of any cache; the file is made if it is not
/// there. `name` says in an error what it is. Waits as [`Cache::lock`] does. Whoever holds it may remove
/// the file: who waits for it sees that and makes it anew.
///
/// # Errors
/// If the time is up, or the file can not be used.
pub fn lock_file(
    path: &Path,
    name: &str,
    wait: Duration,
    on_wait: &mut dyn FnMut(),
) -> Result<Lock, CacheError> {
    let deadline = Instant::now() + wait;
    let mut announced = false;
    loop {
        let file = open(path)?;
        let file = match try_lock(&file, path, FlockOperation::NonBlockingLockExclusive)? {
            true => file,
            false => {
                if !std::mem::replace(&mut announced, true) {
                    on_wait();
                }
                let left = deadline.saturating_duration_since(Instant::now());
                wait_for(file, path, FlockOperation::LockExclusive, left)?.ok_or_else(|| {
                    CacheError::LockTimeout {
                        name: name.to_owned(),
                        waited: wait,
                    }
                })?
            }
        };
        if is_current(&file, path)? {
            return Ok(Lock { file });
        }
    }
}

fn open(path: &Path) -> Result<File, CacheError> {
    File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(OFlags::NOFOLLOW.bits() as i32)
        .open(path)
        .map_err(|source| CacheError::io("open the lock", path, source))
}

/// Takes the lock of a file that is there, if nobody holds it.
pub(crate) fn try_alone(path: &Path) -> Result<Option<File>, CacheError> {
    let opened = File::options()
        .read(true)
        .write(true)
        .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32)
        .open(path);
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(CacheError::io("open the lock", path, source)),
    };
    let held = try_lock(&file, path, FlockOperation::NonBlockingLockExclusive)?;
    Ok((held && is_current(&file, path)?).then_some(file))
}

fn try_lock(file: &File, path: &Path, operation: FlockOperation) -> Result<bool, CacheError> {
    match rustix::io::retry_on_intr(|| flock(file, operation)) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(source) => Err(CacheError::io("lock", path, source)),
    }
}

/// Waits in a thread of its own, because `flock` knows no time limit. If the time is up, the
/// thread goes on until it gets the lock, and gives it back at once.
fn wait_for(
    file: File,
    path: &Path,
    operation: FlockOperation,
    left: Duration,
) -> Result<Option<File>, CacheError> {
    let (sender, receiver) = mpsc::sync_channel(1);
    std::thread::Builder::new()
        .name("lock".to_owned())
        .spawn(move || {
            let got = rustix::io::retry_on_intr(|| flock(&file, operation));
            // Nobody listens any more when the time is up: then the lock ends here.
            let _ = sender.send(got.map(|()| file));
        })
        .map_err(|source| CacheError::io("start a thread that waits for", path, source))?;
    match receiver.recv_timeout(left) {
        Ok(Ok(file)) => Ok(Some(file)),
        Ok(Err(source)) => Err(CacheError::io("lock", path, source)),
        Err(_) => Ok(None),
    }
}

/// Whether the file that was locked is still the one that the path names: a lock file may be
/// pruned between its opening and its locking.
fn is_current(file: &File, path: &Path) -> Result<bool, CacheError> {
    file.metadata()
        .map(|found| found.nlink() > 0)
        .map_err(|source| CacheError::io("look at the lock", path, source))
}
