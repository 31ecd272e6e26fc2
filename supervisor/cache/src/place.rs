//! Places: directories in which leased folders are made besides the root: scratches on another
//! mount, and the whole root of a run without a cache.
//!
//! A place may be shared with others, as `/tmp` is, so it holds no file of ours but the leased
//! folders, and no lock. A folder is made and leased under a hidden name and then gets its six
//! characters; a sweep that takes one half made away only makes its maker try again.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::fs::{Access, AtFlags, CWD, Mode, StatVfsMountFlags};

use crate::lease::{Claim, Lease, Record};
use crate::publish::{self, Published};
use crate::staging::{LeasedDir, dir_flags};
use crate::{Cache, CacheError, Inventory, Item, Plan, Swept, lease, mark, names, removal, root};

/// How often a folder is tried to be made: names collide seldom, sweeps come between seldom.
const TRIES: usize = 64;

/// A directory that may hold leased folders of ours.
#[derive(Clone, Debug)]
pub struct Place {
    path: PathBuf,
    no_exec: bool,
}

/// A root that lives for one run: fresh, leased, and removed when this is dropped.
#[derive(Debug)]
pub struct Fresh {
    cache: Cache,
    place: Place,
    home: LeasedDir,
}

impl Place {
    /// Finds out whether `path` can be used; creates nothing.
    ///
    /// # Errors
    /// If it is missing, no directory, can not be written, is full, or if somebody else could take
    /// away what is in it.
    pub fn open(path: &Path) -> Result<Self, CacheError> {
        let unusable = |source: io::Error| CacheError::ScratchPlace {
            path: path.to_owned(),
            source,
        };
        let real = path.canonicalize().map_err(unusable)?;
        let found = fs::metadata(&real).map_err(unusable)?;
        if !found.is_dir() {
            return Err(unusable(io::ErrorKind::NotADirectory.into()));
        }
        let caller = rustix::process::geteuid().as_raw();
        let (owner, mode) = (found.uid(), found.mode() & 0o7777);
        if owner != caller && owner != 0 {
            return Err(CacheError::ForeignOwner {
                root: real,
                owner,
                caller,
            });
        }
        // In a sticky directory, such as `/tmp`, others can not move what is ours.
        if mode & 0o022 != 0 && mode & 0o1000 == 0 {
            return Err(CacheError::OpenToOthers { root: real, mode });
        }
        let wanted = Access::WRITE_OK | Access::EXEC_OK | Access::READ_OK;
        rustix::fs::accessat(CWD, &real, wanted, AtFlags::EACCESS)
            .map_err(|errno| unusable(errno.into()))?;
        root::check_space(&real)?;
        let volume = rustix::fs::statvfs(&real).map_err(|errno| unusable(errno.into()))?;
        Ok(Self {
            path: real,
            no_exec: volume.f_flag.contains(StatVfsMountFlags::NOEXEC),
        })
    }

    /// Returns the directory, absolute and without links.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether programs can not be started from there (`noexec`).
    #[must_use]
    pub fn is_noexec(&self) -> bool {
        self.no_exec
    }

    /// Finds out by trying whether builds can work here; leaves nothing.
    ///
    /// # Errors
    /// If the file system has no symbolic links, or the place can not be written.
    pub fn try_links(&self) -> Result<(), CacheError> {
        root::check_links(&self.path)
    }

    /// Makes a cache that lives as long as the answer and is empty at first.
    ///
    /// # Errors
    /// If it can not be made; then nothing of it is left.
    pub fn fresh(&self) -> Result<Fresh, CacheError> {
        self.try_links()?;
        let (_, home) = self.leased()?;
        match Cache::fresh(&home.path) {
            Ok(cache) => Ok(Fresh {
                cache,
                place: self.clone(),
                home,
            }),
            Err(error) => {
                let mut home = home;
                drop(self.discard(&mut home));
                Err(error)
            }
        }
    }

    /// Removes what processes that are gone have left here, and of scratches that are kept those that
    /// are old, or more than there is room for: by the rule of those in a root.
    ///
    /// # Errors
    /// If the place can not be listed; single entries that resist are in the answer.
    pub fn sweep(&self, now: SystemTime) -> Result<Swept, CacheError> {
        let mut swept = Swept::default();
        let mut kept = Inventory::default();
        let failed = |source| CacheError::io("list", &self.path, source);
        for entry in fs::read_dir(&self.path).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let Some(text) = name.to_str() else { continue };
            let hidden = text.starts_with(mark::UNFINISHED);
            if (hidden || names::may_be_scratch(text))
                && let Err(error) = self.sweep_one(&name, hidden, &mut swept, Some(&mut kept))
            {
                swept.left.push(error.to_string());
            }
        }
        let old = Plan::tidy(&kept, now).removals;
        swept.in_use += (kept.items.len() - old.len()) as u64;
        for removal in old {
            let name = removal.path.into_os_string();
            if let Err(error) = self.sweep_one(&name, false, &mut swept, None) {
                swept.left.push(error.to_string());
            }
        }
        Ok(swept)
    }

    /// Removes what nobody holds; what is kept only where nothing is `kept` any more.
    fn sweep_one(
        &self,
        name: &OsString,
        hidden: bool,
        swept: &mut Swept,
        kept: Option<&mut Inventory>,
    ) -> Result<(), CacheError> {
        let path = self.path.join(name);
        if root::sweep_link(&path) {
            swept.staging += 1;
            return Ok(());
        }
        // Gone meanwhile, no folder, a link, or somebody else's.
        let Ok(dir) = rustix::fs::open(&path, dir_flags(), Mode::empty()) else {
            return Ok(());
        };
        let caller = rustix::process::geteuid().as_raw();
        if !rustix::fs::fstat(&dir).is_ok_and(|found| found.st_uid == caller) {
            return Ok(());
        }
        let claim = Lease::claim(dir.as_fd())
            .map_err(|source| CacheError::io("look at the lease of", &path, source))?;
        let lease = match claim {
            Claim::Taken(lease) => lease,
            Claim::Busy => {
                swept.in_use += 1;
                return Ok(());
            }
            // Its maker was killed before the lease: then it is empty.
            Claim::Missing if hidden => {
                swept.staging += u64::from(rustix::fs::rmdir(&path).is_ok());
                return Ok(());
            }
            Claim::Missing | Claim::Foreign => return Ok(()),
        };
        let text = name.to_string_lossy();
        if !hidden && !lease.record().is_some_and(|record| record.is_for(&text)) {
            return Ok(());
        }
        if lease.record().is_some_and(Record::is_kept)
            && let Some(kept) = kept
        {
            let about = fs::symlink_metadata(&path)
                .map_err(|source| CacheError::io("look at", &path, source))?;
            kept.items
                .push(Item::kept_scratch(&path, &about, PathBuf::from(name)));
            return Ok(());
        }
        let mut home = LeasedDir {
            path: path.clone(),
            dir,
            lease,
        };
        match self.discard(&mut home).into_result(&path) {
            Ok(_) => swept.scratches += 1,
            // Its maker saw that its lease was taken, and took the folder away itself.
            Err(_) if fs::symlink_metadata(&home.path).is_err() => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Makes a leased folder with a name of six characters.
    pub(crate) fn leased(&self) -> Result<(String, LeasedDir), CacheError> {
        let mut last = CacheError::io(
            "find a free name in",
            &self.path,
            io::Error::from(io::ErrorKind::AlreadyExists),
        );
        for _ in 0..TRIES {
            let name = names::scratch()
                .map_err(|source| CacheError::io("find a name in", &self.path, source))?;
            let mut home = match self.hidden(&name) {
                Ok(home) => home,
                // A sweep came between; anything else will not get better.
                Err(error) if is_of_a_sweep(&error) => {
                    last = error;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let to = self.path.join(&name);
            match publish::move_dir(&home.path, &to) {
                Ok(Published::New) => {
                    home.path = to;
                    return Ok((name, home));
                }
                Ok(Published::Existed) => {
                    home.remove();
                }
                Err(source) => {
                    home.remove();
                    last = CacheError::io("create the folder", &to, source);
                }
            }
        }
        Err(last)
    }

    /// Makes a leased folder under a hidden name.
    fn hidden(&self, name: &str) -> Result<LeasedDir, CacheError> {
        let home = LeasedDir::create(self.hidden_path()?, name)?;
        // Whoever swept the lease before it was locked has taken the folder away.
        if rustix::fs::statat(&home.dir, lease::NAME, AtFlags::SYMLINK_NOFOLLOW).is_err() {
            let gone = io::Error::from(io::ErrorKind::NotFound);
            return Err(CacheError::io("create the folder", &home.path, gone));
        }
        home.lease
            .sync()
            .map_err(|source| CacheError::io("sync the lease of", &home.path, source))?;
        Ok(home)
    }

    /// Removes a leased folder: its content, then its name, then its lease.
    pub(crate) fn discard(&self, home: &mut LeasedDir) -> removal::Removed {
        let mut removed = removal::empty(home.dir.as_fd(), Some(lease::NAME));
        if !removed.is_complete() {
            return removed;
        }
        if let Ok(to) = self.hidden_path()
            && let Ok(Published::New) = publish::move_dir(&home.path, &to)
        {
            home.path = to;
        }
        removed.unlink_lease(home.dir.as_fd(), &home.path);
        removed
    }

    fn hidden_path(&self) -> Result<PathBuf, CacheError> {
        let name = names::staging()
            .map_err(|source| CacheError::io("find a name in", &self.path, source))?;
        Ok(self.path.join(format!("{}{name}", mark::UNFINISHED)))
    }
}

/// Whether a folder that was being made may have been taken away by a sweep.
fn is_of_a_sweep(error: &CacheError) -> bool {
    matches!(error, CacheError::Io { source, .. }
        if matches!(source.kind(), io::ErrorKind::NotFound | io::ErrorKind::WouldBlock))
}

impl Fresh {
    /// Returns the cache.
    #[must_use]
    pub fn cache(&self) -> &Cache {
        &self.cache
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        let path = self.home.path.clone();
        if let Err(error) = self.place.discard(&mut self.home).into_result(&path) {
            tracing::warn!(%error, "the fresh root of this run stays behind");
        }
    }
}
