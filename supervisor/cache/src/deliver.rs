//! Delivering finished files to the output directory, which may be on another file system.
//!
//! The bytes get their name after they are all there and synced. Where the file system can, they
//! have no name at all until then, so that even a kill leaves nothing behind.

use std::fs::{self, File};
use std::io::{self, Seek as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, FlockOperation, OFlags, flock, linkat};
use rustix::io::Errno;

use crate::{CacheError, mark, names, publish, root};

/// Copies `file` to `out_dir/name`, in place of what is there, and returns the path.
///
/// # Errors
/// If the directory can not be made or written, the disk is full, or `file` can not be read. Then
/// nothing of it is in the directory.
pub fn deliver(file: &Path, out_dir: &Path, name: &str) -> Result<PathBuf, CacheError> {
    if !names::is_plain(name) {
        return Err(CacheError::Name {
            name: name.escape_debug().to_string(),
        });
    }
    let from = File::open(file).map_err(|source| CacheError::io("open", file, source))?;
    let refused = |source: io::Error| CacheError::out_dir(out_dir, source);
    fs::create_dir_all(out_dir).map_err(refused)?;
    let target = out_dir.join(name);
    sweep(out_dir);
    let hidden = names::staging().map_err(refused)?;
    let hidden = out_dir.join(format!("{}{hidden}", mark::UNFINISHED));
    let given =
        Part::nameless(out_dir, &hidden).is_some_and(|part| part.fill(&from, &target).is_ok());
    if !given {
        // Not every file system has files without a name, or links to give them one later. If it
        // was something else, this fails as well and says why.
        (&from).rewind().map_err(refused)?;
        Part::named(hidden)
            .and_then(|part| part.fill(&from, &target))
            .map_err(refused)?;
    }
    File::open(out_dir)
        .and_then(|dir| dir.sync_all())
        .map_err(refused)?;
    Ok(target)
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

    /// Copies the bytes into it, syncs them and gives it its name.
    fn fill(mut self, mut from: &File, target: &Path) -> io::Result<()> {
        io::copy(&mut from, &mut self.file)?;
        self.file.sync_all()?;
        self.give_name(target)
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
