//! The cache's root: opened, judged, marked.
//!
//! Whoever can write a cache decides what is installed, so a root of another owner, or one that
//! others may write, is refused. Parents of the root are not judged.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rustix::fs::StatVfsMountFlags;
use rustix::io::Errno;

use crate::entry_lease::EntryLeases;
use crate::mark::{self, Ownership};
use crate::recall::Recall;
use crate::{Bucket, CacheError, Layer, Place, names};

/// What a build's `TMPDIR` adds to the root: `/<6 characters>/<room>` and one byte of reserve.
const TEMP_SUFFIX: usize = 10;
/// The longest `TMPDIR` under which what programs append still fits a socket's address.
const TEMP_LIMIT: usize = 75;
/// The root's length beyond which there is a warning.
const COMFORTABLE: usize = 40;

/// A cache root that may be used. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Cache {
    inner: Arc<Inner>,
    around: Arc<Around>,
}

/// What a root works with besides itself.
#[derive(Clone, Debug, Default)]
struct Around {
    /// Caches that are only read.
    lower: Vec<Layer>,
    /// Where scratches are made, if not at the root.
    scratch: Option<Place>,
}

#[derive(Debug)]
struct Inner {
    root: PathBuf,
    no_exec: bool,
    leases: EntryLeases,
    known: Recall,
}

/// How the root's length fits what builds append to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathBudget {
    /// Bytes of the path of the root, or of the place of scratches if it is another.
    pub root: usize,
    /// Bytes of the `TMPDIR` that a build would see at its real path.
    pub temp: usize,
    /// The judgement.
    pub budget: Budget,
}

/// The judgement on a root's length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// Everything fits.
    Fits,
    /// It works, but programs that append much to `TMPDIR` may reach limits: worth a warning.
    Long,
    /// Too long for builds that see real paths (`confined`); at `ns` constant paths are used and
    /// the length does not matter.
    TooLong,
}

impl Cache {
    /// Opens the cache at `root` and creates it if it is missing or empty.
    ///
    /// # Errors
    /// If the place is foreign, unsafe, full, or can not be written; each says what to do.
    pub fn open(root: &Path) -> Result<Self, CacheError> {
        let root = std::path::absolute(root).map_err(|source| CacheError::place(root, source))?;
        let place = |source: io::Error| CacheError::place(&root, source);
        make_dirs(root.parent().unwrap_or(&root), 0o755).map_err(place)?;
        match DirBuilder::new().mode(0o700).create(&root) {
            Ok(()) => sync_above(&root).map_err(place)?,
            // What exists is judged below; a dangling link or a file fails there.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            // A root of the file system, or `..` at the end: it exists if it can be opened.
            Err(_) if root.is_dir() => {}
            Err(source) => return Err(place(source)),
        }
        let (cache, ownership) = Self::judge(&root)?;
        check_space(cache.root())?;
        if ownership == Ownership::Empty {
            check_links(cache.root())?;
        }
        mark::mark(cache.root()).map_err(|source| CacheError::place(cache.root(), source))?;
        cache.make_buckets()?;
        // Proves that the root can be written before any work starts.
        drop(cache.root_lock(crate::lock::Mode::Shared)?);
        Ok(cache)
    }

    /// Opens the cache at `root` if there is one; creates nothing.
    ///
    /// # Errors
    /// If the place is foreign, unsafe, or can not be read.
    pub fn open_existing(root: &Path) -> Result<Option<Self>, CacheError> {
        let root = std::path::absolute(root).map_err(|source| CacheError::place(root, source))?;
        match fs::metadata(&root) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(CacheError::place(&root, source)),
            Ok(_) => {}
        }
        let (cache, ownership) = Self::judge(&root)?;
        Ok((ownership == Ownership::Marked).then_some(cache))
    }

    /// Makes a cache of an empty directory of ours that nobody else knows.
    pub(crate) fn fresh(root: &Path) -> Result<Self, CacheError> {
        let place = |source: io::Error| CacheError::place(root, source);
        mark::mark(root).map_err(place)?;
        let (cache, _) = Self::judge(root)?;
        cache.make_buckets()?;
        Ok(cache)
    }

    /// Returns this cache with others below it that are only read, the first one first.
    #[must_use]
    pub fn above(self, lower: Vec<Layer>) -> Self {
        self.with(|around| around.lower = lower)
    }

    /// Returns this cache with its scratches at another place.
    #[must_use]
    pub fn with_scratches_at(self, place: Place) -> Self {
        self.with(|around| around.scratch = Some(place))
    }

    fn with(self, change: impl FnOnce(&mut Around)) -> Self {
        let mut around = Around::clone(&self.around);
        change(&mut around);
        Self {
            around: Arc::new(around),
            ..self
        }
    }

    pub(crate) fn judge(root: &Path) -> Result<(Self, Ownership), CacheError> {
        let place = |source: io::Error| CacheError::place(root, source);
        let real = root.canonicalize().map_err(place)?;
        let found = fs::metadata(&real).map_err(place)?;
        if !found.is_dir() {
            return Err(place(io::ErrorKind::NotADirectory.into()));
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
        if mode & 0o022 != 0 {
            return Err(CacheError::OpenToOthers { root: real, mode });
        }
        let ownership = mark::look(&real).map_err(place)?;
        if ownership == Ownership::Foreign {
            return Err(CacheError::NotOurs { root: real });
        }
        let volume = rustix::fs::statvfs(&real).map_err(|errno| place(errno.into()))?;
        let inner = Inner {
            root: real,
            no_exec: volume.f_flag.contains(StatVfsMountFlags::NOEXEC),
            leases: EntryLeases::default(),
            known: Recall::default(),
        };
        let inner = Arc::new(inner);
        let around = Arc::default();
        Ok((Self { inner, around }, ownership))
    }

    fn make_buckets(&self) -> Result<(), CacheError> {
        let mut is_changed = false;
        for bucket in Bucket::ALL {
            match DirBuilder::new().mode(0o755).create(self.bucket(bucket)) {
                Ok(()) => is_changed = true,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(CacheError::place(self.root(), error)),
            }
        }
        match is_changed {
            true => sync_dir(self.root()),
            false => Ok(()),
        }
    }

    /// Returns the root, absolute and without links.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.inner.root
    }

    /// Returns the folder of `bucket`.
    #[must_use]
    pub fn bucket(&self, bucket: Bucket) -> PathBuf {
        self.inner.root.join(bucket.folder())
    }

    pub(crate) fn entry_leases(&self) -> &EntryLeases {
        &self.inner.leases
    }

    pub(crate) fn known(&self) -> &Recall {
        &self.inner.known
    }

    /// Whether programs can not be started from the root's mount (`noexec`).
    #[must_use]
    pub fn is_noexec(&self) -> bool {
        self.inner.no_exec
    }

    /// Returns the place of scratches, if it is not the root.
    #[must_use]
    pub fn scratch_place(&self) -> Option<&Place> {
        self.around.scratch.as_ref()
    }

    /// Returns the caches below this one.
    pub(crate) fn lower(&self) -> &[Layer] {
        &self.around.lower
    }

    /// Returns the directory in which scratches are made.
    #[must_use]
    pub fn scratches_in(&self) -> &Path {
        self.scratch_place().map_or(self.root(), Place::path)
    }

    /// Whether builds can not start programs from their scratches (`noexec`).
    #[must_use]
    pub fn is_scratch_noexec(&self) -> bool {
        self.scratch_place()
            .map_or(self.is_noexec(), Place::is_noexec)
    }

    /// Returns how the length of the place of scratches fits what builds append to it.
    #[must_use]
    pub fn path_budget(&self) -> PathBudget {
        let root = self.scratches_in().as_os_str().as_bytes().len();
        let temp = root + TEMP_SUFFIX;
        let budget = match root {
            _ if temp > TEMP_LIMIT => Budget::TooLong,
            _ if root > COMFORTABLE => Budget::Long,
            _ => Budget::Fits,
        };
        PathBudget { root, temp, budget }
    }

    /// Refuses a path that is not strictly inside the root, or has `.` or `..` in it.
    pub(crate) fn inside(&self, path: &Path) -> Result<(), CacheError> {
        let fits = path.strip_prefix(self.root()).is_ok_and(|rest| {
            rest.components().next().is_some()
                && rest
                    .components()
                    .all(|part| matches!(part, Component::Normal(_)))
        });
        if fits {
            Ok(())
        } else {
            Err(CacheError::Outside {
                path: path.to_owned(),
            })
        }
    }

    /// Makes the folder of `path` and what is missing above it, and syncs what was changed.
    pub(crate) fn make_parents(&self, path: &Path) -> Result<(), CacheError> {
        self.inside(path)?;
        let mut missing = Vec::new();
        let mut folder = path.parent();
        while let Some(here) = folder {
            match DirBuilder::new().mode(0o755).create(here) {
                Ok(()) => missing.push(here),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    missing.push(here);
                    folder = here.parent();
                    continue;
                }
                Err(source) => return Err(CacheError::io("create the folder", here, source)),
            }
            break;
        }
        for here in missing.into_iter().rev() {
            match DirBuilder::new().mode(0o755).create(here) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(CacheError::io("create the folder", here, error));
                }
                _ => {}
            }
            if let Some(above) = here.parent() {
                sync_dir(above)?;
            }
        }
        Ok(())
    }
}

/// Makes a directory and what is missing above it, and syncs the directories in which something was made.
///
/// # Errors
/// If one can not be made or synced.
pub fn make_dirs(path: &Path, mode: u32) -> io::Result<()> {
    let is_missing = |place: &&Path| !place.as_os_str().is_empty() && !place.exists();
    let missing: Vec<_> = path.ancestors().take_while(is_missing).collect();
    DirBuilder::new().recursive(true).mode(mode).create(path)?;
    missing.into_iter().rev().try_for_each(sync_above)
}

/// Syncs the directory that something lies in. Who may write to one need not be allowed to read it; such a one
/// can not be synced.
fn sync_above(path: &Path) -> io::Result<()> {
    let above = match path.parent() {
        Some(above) if !above.as_os_str().is_empty() => above,
        _ => Path::new("."),
    };
    match File::open(above) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        opened => opened?.sync_all(),
    }
}

/// Syncs a directory, so that the names in it survive a crash.
pub(crate) fn sync_dir(path: &Path) -> Result<(), CacheError> {
    File::open(path)
        .and_then(|dir| dir.sync_all())
        .map_err(|source| CacheError::io("sync the folder", path, source))
}

/// What the link says that shows whether there are links.
const TRIAL: &str = ".";

/// Removes a link that a run left which was killed while it tried whether there are links, and says whether it was one.
/// Whoever tries it beside us needs it no more.
pub(crate) fn sweep_link(path: &Path) -> bool {
    let caller = rustix::process::geteuid().as_raw();
    let name = path.file_name().and_then(OsStr::to_str);
    name.is_some_and(mark::may_be_unfinished)
        && fs::symlink_metadata(path).is_ok_and(|found| found.uid() == caller)
        && fs::read_link(path).is_ok_and(|said| said == Path::new(TRIAL))
        && fs::remove_file(path).is_ok()
}

/// Refuses a directory whose file system has no symbolic links; makes one and takes it away.
pub(crate) fn check_links(dir: &Path) -> Result<(), CacheError> {
    let place = |source: io::Error| CacheError::place(dir, source);
    let name = names::staging().map_err(place)?;
    let link = dir.join(format!("{}{name}", mark::UNFINISHED));
    match rustix::fs::symlink(TRIAL, &link) {
        Ok(()) => match fs::remove_file(&link) {
            // Swept by a run beside us.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed.map_err(place),
        },
        // What kernels and file systems in user space say that know of none.
        Err(errno @ (Errno::PERM | Errno::NOSYS | Errno::OPNOTSUPP)) => Err(CacheError::NoLinks {
            path: dir.to_owned(),
            source: errno.into(),
        }),
        Err(errno) => Err(place(errno.into())),
    }
}

/// Refuses a directory whose file system has no space or no inodes left.
pub(crate) fn check_space(path: &Path) -> Result<(), CacheError> {
    let volume = rustix::fs::statvfs(path).map_err(|source| CacheError::place(path, source))?;
    // Some file systems have no fixed number of inodes and say zero of zero.
    let no_inodes = volume.f_files > 0 && volume.f_favail == 0;
    if volume.f_bavail == 0 || no_inodes {
        let full = io::Error::from(rustix::io::Errno::NOSPC);
        return Err(CacheError::place(path, full));
    }
    Ok(())
}
