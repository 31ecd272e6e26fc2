//! Sweeping: removing what processes that are gone have left behind.
//!
//! A folder is removed only after its lease was found valid and taken over; a name alone never
//! decides. Each candidate is judged under the root's lock, so no scratch is half made meanwhile.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use rustix::io::Errno;

use crate::discard::in_words;
use crate::lease::{Claim, Lease, Record};
use crate::staging::{LeasedDir, dir_flags};
use crate::{Bucket, Cache, CacheError, lock, mark, names, root};

/// What a sweep did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Scratches removed.
    pub scratches: u64,
    /// Unfinished files and folders removed.
    pub staging: u64,
    /// Scratches whose makers live, or that are kept.
    pub in_use: u64,
    /// What could not be removed, in words.
    pub left: Vec<String>,
}

impl Cache {
    /// Removes scratches and unfinished things whose makers are gone.
    ///
    /// # Errors
    /// If the root can not be listed or locked; single entries that resist are in the answer.
    pub fn sweep(&self) -> Result<Swept, CacheError> {
        let mut swept = Swept::default();
        for name in names_in(self.root())? {
            match name.to_str() {
                Some(text) if names::may_be_scratch(text) => {
                    self.sweep_scratch(&name, &mut swept)?;
                }
                Some(text) if mark::may_be_unfinished(text) => {
                    self.sweep_mark(&self.root().join(&name), &mut swept);
                }
                _ => {}
            }
        }
        let staging = self.bucket(Bucket::Staging);
        for name in names_in(&staging)? {
            self.sweep_staging(&staging.join(name), &mut swept)?;
        }
        Ok(swept)
    }

    /// Removes what a crash left of marking the root, or of trying what it can do. The root is marked now, so that whoever is
    /// marking it beside us needs it no more.
    fn sweep_mark(&self, path: &Path, swept: &mut Swept) {
        let is_file = fs::symlink_metadata(path).is_ok_and(|found| found.is_file());
        if root::sweep_link(path) || (is_file && fs::remove_file(path).is_ok()) {
            swept.staging += 1;
        }
    }

    fn sweep_scratch(&self, name: &OsString, swept: &mut Swept) -> Result<(), CacheError> {
        let path = self.root().join(name);
        let Some((dir, claim)) = self.claim(&path)? else {
            return Ok(());
        };
        let lease = match claim {
            Claim::Taken(lease) => lease,
            Claim::Busy => {
                swept.in_use += 1;
                return Ok(());
            }
            Claim::Missing | Claim::Foreign => return Ok(()),
        };
        let name = name.to_string_lossy();
        let ours = lease.record().is_some_and(|record| record.is_for(&name));
        if !ours {
            return Ok(());
        }
        if lease.record().is_some_and(Record::is_kept) {
            swept.in_use += 1;
            return Ok(());
        }
        let mut home = LeasedDir { path, dir, lease };
        let path = home.path.clone();
        match self.discard(&mut home).into_result(&path) {
            Ok(_) => swept.scratches += 1,
            Err(error) => swept.left.push(in_words(&error)),
        }
        Ok(())
    }

    fn sweep_staging(&self, path: &Path, swept: &mut Swept) -> Result<(), CacheError> {
        let gone = match fs::symlink_metadata(path) {
            Ok(found) if found.is_dir() => self.sweep_staging_dir(path),
            Ok(found) if found.is_file() => self.sweep_staging_file(path),
            _ => Ok(false),
        };
        match gone {
            Ok(true) => swept.staging += 1,
            Ok(false) => {}
            Err(error) => swept.left.push(in_words(&error)),
        }
        Ok(())
    }

    fn sweep_staging_dir(&self, path: &Path) -> Result<bool, CacheError> {
        let Some((dir, claim)) = self.claim(path)? else {
            return Ok(false);
        };
        match claim {
            Claim::Taken(lease) => {
                let home = LeasedDir {
                    path: path.to_owned(),
                    dir,
                    lease,
                };
                home.remove().into_result(path).map(|_| true)
            }
            // Its maker was killed before the lease, or its remover after it: then it is empty.
            Claim::Missing => {
                let _creation = self.root_lock(lock::Mode::Alone)?;
                Ok(rustix::fs::rmdir(path).is_ok())
            }
            Claim::Busy | Claim::Foreign => Ok(false),
        }
    }

    fn sweep_staging_file(&self, path: &Path) -> Result<bool, CacheError> {
        let _creation = self.root_lock(lock::Mode::Alone)?;
        let opened = File::options()
            .read(true)
            .write(true)
            .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32)
            .open(path);
        let file = match opened {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(source) => return Err(CacheError::io("open", path, source)),
        };
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Ok(false),
            Err(source) => return Err(CacheError::io("lock", path, source)),
        }
        match fs::remove_file(path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(CacheError::io("remove", path, source)),
        }
    }

    /// Opens a folder and tries to take its lease, while no one is creating any.
    pub(crate) fn claim(&self, path: &Path) -> Result<Option<(OwnedFd, Claim)>, CacheError> {
        let _creation = self.root_lock(lock::Mode::Alone)?;
        let dir = match rustix::fs::open(path, dir_flags(), Mode::empty()) {
            Ok(dir) => dir,
            // Gone meanwhile, no folder, a link, or somebody else's.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::ACCESS) => return Ok(None),
            Err(source) => return Err(CacheError::io("open", path, source)),
        };
        let claim = Lease::claim(dir.as_fd())
            .map_err(|source| CacheError::io("look at the lease of", path, source))?;
        Ok(Some((dir, claim)))
    }
}

pub(crate) fn names_in(folder: &Path) -> Result<Vec<OsString>, CacheError> {
    let failed = |source| CacheError::io("list", folder, source);
    fs::read_dir(folder)
        .map_err(failed)?
        .map(|entry| entry.map(|entry| entry.file_name()).map_err(failed))
        .collect()
}
