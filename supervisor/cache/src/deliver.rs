//! Delivering finished files to the output directory, which may be on another file system.
//!
//! The bytes get their name after they are all there and synced. Where the file system can, they
//! have no name at all until then, so that even a kill leaves nothing behind.

use std::fs::{self, File};
use std::io::{self, Read, Seek as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use model::Sha256;
use rustix::fs::{Access, AtFlags, CWD, FlockOperation, OFlags, flock, linkat};
use rustix::io::Errno;

use crate::{CacheError, mark, names, publish, root};

/// How many files are written at a time: most of the time goes into waiting for a disk, which syncs several as fast as one.
const AT_ONCE: usize = 16;

/// What is to be delivered.
#[derive(Clone, Copy, Debug)]
pub struct Delivery<'a> {
    /// Where it is.
    pub file: &'a Path,
    /// What it is called in the output directory.
    pub name: &'a str,
    /// What its bytes have to come to.
    pub expected: &'a Sha256,
}

/// Copies `file` to `out_dir/name`, in place of what is there, and returns the path. What is given a
/// name there has the digest `expected`: it is taken of the very bytes that are copied.
///
/// # Errors
/// If the directory can not be made or written, the disk is full, or `file` is gone, changed, or can
/// not be read. Then nothing of it is in the directory.
pub fn deliver(
    file: &Path,
    out_dir: &Path,
    name: &str,
    expected: &Sha256,
) -> Result<PathBuf, CacheError> {
    sweep(out_dir);
    let path = Delivery {
        file,
        name,
        expected,
    }
    .put(out_dir)?;
    sync(out_dir).map_err(|source| CacheError::out_dir(out_dir, source))?;
    Ok(path)
}

/// Delivers several files at the same time; the answers come in their order. One that fails keeps no other from being
/// delivered.
#[must_use]
pub fn deliver_all(
    out_dir: &Path,
    deliveries: &[Delivery<'_>],
) -> Vec<Result<PathBuf, CacheError>> {
    sweep(out_dir);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some((at, one)) = take(&next, deliveries) {
            done.push((at, one.put(out_dir)));
        }
        done
    };
    let mut all: Vec<_> = thread::scope(|scope| {
        let others: Vec<_> = (1..AT_ONCE.min(deliveries.len()))
            .map(|_| scope.spawn(work))
            .collect();
        let mut all = work();
        for other in others {
            all.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        all
    });
    all.sort_by_key(|(at, _)| *at);
    // Only what lasts has been delivered.
    let lasts = all
        .iter()
        .any(|(_, put)| put.is_ok())
        .then(|| sync(out_dir));
    let last = |path: PathBuf| match &lasts {
        Some(Err(error)) => Err(CacheError::out_dir(out_dir, again(error))),
        _ => Ok(path),
    };
    all.into_iter().map(|(_, put)| put.and_then(last)).collect()
}

/// The same error once more.
fn again(error: &io::Error) -> io::Error {
    error
        .raw_os_error()
        .map_or_else(|| error.kind().into(), io::Error::from_raw_os_error)
}

fn take<'a, T>(next: &AtomicUsize, all: &'a [T]) -> Option<(usize, &'a T)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    Some((at, all.get(at)?))
}

fn sync(out_dir: &Path) -> io::Result<()> {
    File::open(out_dir)?.sync_all()
}

impl Delivery<'_> {
    /// Gives the bytes their name, which lasts once the directory is synced.
    fn put(&self, out_dir: &Path) -> Result<PathBuf, CacheError> {
        let Self {
            file,
            name,
            expected,
        } = *self;
        if !names::is_plain(name) {
            return Err(CacheError::Name {
                name: name.escape_debug().to_string(),
            });
        }
        let from = File::open(file).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => CacheError::Gone {
                path: file.to_owned(),
            },
            _ => CacheError::io("open", file, source),
        })?;
        let refused = |source: io::Error| CacheError::out_dir(out_dir, source);
        root::make_dirs(out_dir, 0o777).map_err(refused)?;
        let target = out_dir.join(name);
        let hidden = names::staging().map_err(refused)?;
        let hidden = out_dir.join(format!("{}{hidden}", mark::UNFINISHED));
        let given = Part::nameless(out_dir, &hidden)
            .is_some_and(|part| part.fill(&from, &target, expected).is_ok());
        if !given {
            // Not every file system has files without a name, or links to give them one later. If it
            // was something else, this fails as well and says why.
            (&from).rewind().map_err(refused)?;
            let part = Part::named(hidden).map_err(refused)?;
            part.fill(&from, &target, expected)
                .map_err(|unfit| match unfit {
                    Unfit::System(source) => refused(source),
                    Unfit::Bytes(found) => CacheError::Changed {
                        path: file.to_owned(),
                        expected: *expected,
                        found,
                    },
                })?;
        }
        Ok(target)
    }
}

/// Finds out whether `out_dir` can be written, or made, and has room, without changing anything.
///
/// # Errors
/// If not.
pub fn check_out_dir(out_dir: &Path) -> Result<(), CacheError> {
    let refused = |source: io::Error| CacheError::out_dir(out_dir, source);
    let absolute = std::path::absolute(out_dir).map_err(refused)?;
    for place in absolute.ancestors() {
        match fs::metadata(place) {
            Ok(found) if !found.is_dir() => {
                return Err(refused(io::ErrorKind::NotADirectory.into()));
            }
            Ok(_) => {
                let wanted = Access::WRITE_OK | Access::EXEC_OK;
                rustix::fs::accessat(CWD, place, wanted, AtFlags::EACCESS)
                    .map_err(|errno| refused(errno.into()))?;
                return root::check_space(place);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(refused(source)),
        }
    }
    Err(refused(io::ErrorKind::NotFound.into()))
}

/// Removes unfinished files of deliveries that were killed. What can not be looked at stays.
fn sweep(out_dir: &Path) {
    for entry in fs::read_dir(out_dir).into_iter().flatten().flatten() {
        if entry
            .file_name()
            .to_str()
            .is_some_and(mark::may_be_unfinished)
        {
            let _ = sweep_one(&entry.path());
        }
    }
}

fn sweep_one(path: &Path) -> io::Result<()> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = File::options()
        .read(true)
        .custom_flags(flags.bits() as i32)
        .open(path)?;
    let found = file.metadata()?;
    if found.is_file() && found.uid() == rustix::process::geteuid().as_raw() {
        flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        fs::remove_file(path)?;
    }
    Ok(())
}

/// Why a part gets no name.
enum Unfit {
    /// The system's words.
    System(io::Error),
    /// Its bytes have this digest.
    Bytes(Sha256),
}

/// Reads from one file, and leaves a copy of all that it read in another.
struct Copied<'a> {
    from: &'a File,
    to: &'a mut File,
}

impl Read for Copied<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let got = self.from.read(into)?;
        self.to.write_all(&into[..got])?;
        Ok(got)
    }
}

/// A file in the output directory before it has its name.
struct Part {
    file: File,
    /// The hidden name it has, or gets for a moment; removed on drop.
    hidden: PathBuf,
    named: bool,
}

impl Part {
    /// Starts one without a name, where that can be had.
    fn nameless(out_dir: &Path, hidden: &Path) -> Option<Self> {
        let file = File::options()
            .write(true)
            .mode(0o666)
            .custom_flags(OFlags::TMPFILE.bits() as i32)
            .open(out_dir)
            .ok()?;
        flock(&file, FlockOperation::NonBlockingLockExclusive).ok()?;
        // Giving it a name later takes /proc.
        Path::new("/proc/self/fd").exists().then(|| Self {
            file,
            hidden: hidden.to_owned(),
            named: false,
        })
    }

    /// Starts one under a hidden name, locked.
    fn named(hidden: PathBuf) -> io::Result<Self> {
        loop {
            let file = File::options()
                .write(true)
                .create_new(true)
                .mode(0o666)
                .open(&hidden)?;
            // Not every file system has locks. Where one has, a delivery beside us sweeps nothing of
            // ours, unless it came between.
            let locked = flock(&file, FlockOperation::LockExclusive);
            if locked.is_err() || file.metadata()?.nlink() > 0 {
                return Ok(Self {
                    file,
                    hidden,
                    named: true,
                });
            }
        }
    }

    /// Copies the bytes into it, syncs them and gives it its name, if they are those expected.
    fn fill(mut self, from: &File, target: &Path, expected: &Sha256) -> Result<(), Unfit> {
        let copied = Copied {
            from,
            to: &mut self.file,
        };
        let (found, _) = Sha256::of_reader(copied).map_err(Unfit::System)?;
        if found != *expected {
            return Err(Unfit::Bytes(found));
        }
        self.file.sync_all().map_err(Unfit::System)?;
        self.give_name(target).map_err(Unfit::System)
    }

    fn give_name(&mut self, target: &Path) -> io::Result<()> {
        if !self.named {
            match self.link(target) {
                Ok(()) => return Ok(()),
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
            self.link(&self.hidden)?;
            self.named = true;
        }
        publish::move_over(&self.hidden, target)?;
        self.named = false;
        Ok(())
    }

    fn link(&self, to: &Path) -> rustix::io::Result<()> {
        let from = format!("/proc/self/fd/{}", self.file.as_raw_fd());
        linkat(CWD, from, CWD, to, AtFlags::SYMLINK_FOLLOW)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.named {
            let _ = fs::remove_file(&self.hidden);
        }
    }
}
