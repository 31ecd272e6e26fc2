//! Writes a tree below a folder that is held open, following no link and changing no mode.
//!
//! Each component is opened by itself without following links: `openat2` may be absent where this
//! runs, and `chmod`, `chown` and times by path are refused there.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags, Timespec, Timestamps, futimens, mkdirat, openat, symlinkat};
use rustix::io::Errno;

use crate::Refusal;
use crate::guard::shown;

const FOLDER: OFlags = OFlags::PATH
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);
const NEW_FILE: OFlags = OFlags::WRONLY
    .union(OFlags::CREATE)
    .union(OFlags::EXCL)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);
const OLD_FILE: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::CLOEXEC);

const FILE_MODE: Mode = Mode::from_raw_mode(0o644);
const PROGRAM_MODE: Mode = Mode::from_raw_mode(0o755);

/// A tree that is being written.
#[derive(Debug)]
pub(crate) struct Writer<'a> {
    root: BorrowedFd<'a>,
    /// The folders from the root to the one used last, so that neighbours cost one call each.
    trail: Vec<(String, OwnedFd)>,
}

/// A file that was just created, and its name for messages.
#[derive(Debug)]
pub(crate) struct NewFile {
    file: File,
    path: String,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(root: BorrowedFd<'a>) -> Self {
        Self {
            root,
            trail: Vec::new(),
        }
    }

    /// Makes a folder and those above it; one that exists is fine.
    pub(crate) fn folder(&mut self, path: &str) -> Result<(), Refusal> {
        self.enter(path).map(drop)
    }

    /// Creates a file that must not exist.
    pub(crate) fn create(&mut self, path: &str, executable: bool) -> Result<NewFile, Refusal> {
        let (parent, name) = self.parent(path)?;
        let mode = if executable { PROGRAM_MODE } else { FILE_MODE };
        let file =
            openat(parent, name, NEW_FILE, mode).map_err(|errno| failed("create", path, errno))?;
        Ok(NewFile {
            file: File::from(file),
            path: path.to_owned(),
        })
    }

    /// Opens a file that was created before.
    pub(crate) fn reopen(&mut self, path: &str) -> Result<File, Refusal> {
        let (parent, name) = self.parent(path)?;
        openat(parent, name, OLD_FILE, Mode::empty())
            .map(File::from)
            .map_err(|errno| failed("read", path, errno))
    }

    /// Makes a symbolic link that must not exist.
    pub(crate) fn link(&mut self, path: &str, target: &str) -> Result<(), Refusal> {
        let (parent, name) = self.parent(path)?;
        symlinkat(target, parent, name).map_err(|errno| failed("link", path, errno))
    }

    fn parent<'p>(&mut self, path: &'p str) -> Result<(BorrowedFd<'_>, &'p str), Refusal> {
        match path.rsplit_once('/') {
            Some((parent, name)) => Ok((self.enter(parent)?, name)),
            None => Ok((self.root, path)),
        }
    }

    /// Opens a folder, component by component, making what is missing.
    fn enter(&mut self, path: &str) -> Result<BorrowedFd<'_>, Refusal> {
        let known = path
            .split('/')
            .zip(&self.trail)
            .take_while(|(name, (open, _))| name == open)
            .count();
        self.trail.truncate(known);
        for name in path.split('/').skip(known) {
            let next = self
                .step(name)
                .map_err(|errno| failed("enter", path, errno))?;
            self.trail.push((name.to_owned(), next));
        }
        Ok(self.here())
    }

    fn here(&self) -> BorrowedFd<'_> {
        self.trail
            .last()
            .map_or(self.root, |(_, folder)| folder.as_fd())
    }

    fn step(&self, name: &str) -> Result<OwnedFd, Errno> {
        match openat(self.here(), name, FOLDER, Mode::empty()) {
            Err(Errno::NOENT) => {
                mkdirat(self.here(), name, PROGRAM_MODE)?;
                openat(self.here(), name, FOLDER, Mode::empty())
            }
            other => other,
        }
    }
}

impl NewFile {
    /// Appends bytes.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        io::Write::write_all(&mut self.file, bytes).map_err(|error| self.failed("write", error))
    }

    /// Appends all of another file, by plain reads and writes: the shortcuts that the standard
    /// library takes for this are calls that a filter may not know.
    pub(crate) fn copy(&mut self, from: &mut File) -> Result<(), Refusal> {
        let mut buffer = [0; 32 << 10];
        loop {
            match from.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => self.write(&buffer[..count])?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.failed("copy", error)),
            }
        }
    }

    /// Sets the time, on the descriptor, as the last act.
    pub(crate) fn finish(self, mtime: i64) -> Result<(), Refusal> {
        let time = Timespec {
            tv_sec: mtime,
            tv_nsec: 0,
        };
        let times = Timestamps {
            last_access: time,
            last_modification: time,
        };
        futimens(&self.file, &times).map_err(|errno| failed("set the time of", &self.path, errno))
    }

    fn failed(&self, doing: &str, source: io::Error) -> Refusal {
        Refusal::Io {
            doing: format!("{doing} `{}`", shown(self.path.as_bytes())),
            source,
        }
    }
}

fn failed(doing: &str, path: &str, errno: Errno) -> Refusal {
    Refusal::Io {
        doing: format!("{doing} `{}`", shown(path.as_bytes())),
        source: errno.into(),
    }
}
