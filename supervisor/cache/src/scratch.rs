//! Scratch directories: one writable place a build, short-named, directly under the root.
//!
//! Names are short because socket addresses and shebang lines are limited. A build may write the
//! one-letter rooms in its scratch, not the scratch itself; the lease lies beside the rooms.

use std::fs::{DirBuilder, File};
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags, openat, unlinkat};
use rustix::io::Errno;

use crate::lease::{Claim, Record};
use crate::publish::{self, Published};
use crate::staging::LeasedDir;
use crate::{Bucket, Cache, CacheError, lease, lock, names, spread};

/// How often another name is tried; a collision has a chance of some in two billion.
const TRIES: usize = 64;

/// A scratch directory, leased for as long as this lives and removed with it.
#[derive(Debug)]
pub struct Scratch {
    cache: Cache,
    name: String,
    home: LeasedDir,
    /// Nothing is left to be done on drop.
    settled: bool,
}

impl Cache {
    /// Makes a scratch: created and leased under a staging name, then moved to its own.
    ///
    /// # Errors
    /// If it can not be made.
    pub fn scratch(&self) -> Result<Scratch, CacheError> {
        if let Some(place) = self.scratch_place() {
            let (name, home) = place.leased()?;
            return Ok(Scratch {
                cache: self.clone(),
                name,
                home,
                settled: false,
            });
        }
        spread::apart(&self.bucket(Bucket::Staging));
        let creation = self.root_lock(lock::Mode::Shared)?;
        for _ in 0..TRIES {
            let name = names::scratch()
                .map_err(|source| CacheError::io("find a name in", self.root(), source))?;
            let mut home = self.leased_dir(&name)?;
            home.lease
                .sync()
                .map_err(|source| CacheError::io("sync the lease of", &home.path, source))?;
            let to = self.root().join(&name);
            match publish::move_dir(&home.path, &to) {
                Ok(Published::New) => {
                    home.path = to;
                    drop(creation);
                    return Ok(Scratch {
                        cache: self.clone(),
                        name,
                        home,
                        settled: false,
                    });
                }
                Ok(Published::Existed) => {
                    home.remove();
                }
                Err(source) => {
                    home.remove();
                    return Err(CacheError::io("create the scratch", &to, source));
                }
            }
        }
        let taken = io::Error::from(io::ErrorKind::AlreadyExists);
        Err(CacheError::io("find a free name in", self.root(), taken))
    }
}

/// What came of asking for a scratch that was kept.
#[derive(Debug)]
pub enum Kept {
    /// It is the caller's for as long as this lives, and stays when it is dropped.
    Taken(Scratch),
    /// Somebody else has it.
    Busy,
    /// There is none.
    Gone,
}

impl Cache {
    /// Takes a scratch that [`Scratch::keep`] left at `path`. No sweep removes it meanwhile.
    ///
    /// # Errors
    /// If its lease can not be looked at.
    pub fn kept_scratch(&self, path: &Path) -> Result<Kept, CacheError> {
        let name = path.file_name().and_then(|name| name.to_str());
        let Some(name) = name.filter(|name| names::may_be_scratch(name)) else {
            return Ok(Kept::Gone);
        };
        let Some((dir, claim)) = self.claim(path)? else {
            return Ok(Kept::Gone);
        };
        let lease = match claim {
            Claim::Taken(lease) => lease,
            Claim::Busy => return Ok(Kept::Busy),
            Claim::Missing | Claim::Foreign => return Ok(Kept::Gone),
        };
        let is_kept = |record: &Record| record.is_kept() && record.is_for(name);
        if !lease.record().is_some_and(is_kept) {
            return Ok(Kept::Gone);
        }
        let path = path.to_owned();
        Ok(Kept::Taken(Scratch {
            cache: self.clone(),
            name: name.to_owned(),
            home: LeasedDir { path, dir, lease },
            settled: true,
        }))
    }
}

impl Scratch {
    /// Returns where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.home.path
    }

    /// Returns its name: six characters of `[a-z0-9]`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the folder, open.
    #[must_use]
    pub fn dir(&self) -> BorrowedFd<'_> {
        self.home.dir.as_fd()
    }

    /// Makes the room `letter` (mode 0700) and returns its path.
    ///
    /// # Errors
    /// If it is not a small letter, exists, or can not be made.
    pub fn room(&self, letter: char) -> Result<PathBuf, CacheError> {
        let path = self.path().join(letter.to_string());
        if !letter.is_ascii_lowercase() {
            return Err(CacheError::Name {
                name: letter.escape_debug().to_string(),
            });
        }
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(|source| CacheError::io("create the room", &path, source))?;
        Ok(path)
    }

    /// Writes a file beside the rooms (mode 0644), in place of an older one of the name.
    ///
    /// # Errors
    /// If the name is not plain, is the lease's, or writing fails.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, CacheError> {
        if !names::is_plain(name) || name.as_bytes() == lease::NAME.to_bytes() {
            return Err(CacheError::Name {
                name: name.escape_debug().to_string(),
            });
        }
        let path = self.path().join(name);
        let failed = |source: io::Error| CacheError::io("write", &path, source);
        match unlinkat(self.dir(), name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(failed(errno.into())),
        }
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::ROTH;
        let file = openat(self.dir(), name, flags, mode).map_err(|errno| failed(errno.into()))?;
        let mut file = File::from(file);
        rustix::fs::fchmod(&file, mode).map_err(|errno| failed(errno.into()))?;
        file.write_all(bytes).map_err(failed)?;
        Ok(path)
    }

    /// Leaves it for somebody to look at: no sweep removes it. Returns where it is.
    pub fn keep(mut self) -> PathBuf {
        self.settled = true;
        if let Err(error) = self.home.lease.keep() {
            tracing::warn!(%error, path = %self.path().display(), "the scratch is kept, but not marked so: the next sweep removes it");
        }
        self.path().to_owned()
    }

    /// Removes it.
    ///
    /// # Errors
    /// If something in it could not be removed; the next sweep tries again.
    pub fn remove(mut self) -> Result<(), CacheError> {
        self.clear()
    }

    fn clear(&mut self) -> Result<(), CacheError> {
        if std::mem::replace(&mut self.settled, true) {
            return Ok(());
        }
        let path = self.path().to_owned();
        self.cache.discard(&mut self.home).into_result(&path)?;
        Ok(())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = self.clear() {
            tracing::warn!(%error, "a scratch stays behind");
        }
    }
}
