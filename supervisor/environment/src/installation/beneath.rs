//! Files below one folder, reached component by component so that no link is ever followed.
//!
//! The only file of this room that renames.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fd::OwnedFd;
use rustix::fs::{
    AtFlags, Dir, FileType, Mode, OFlags, RenameFlags, mkdirat, openat, renameat, renameat_with,
    statat, unlinkat,
};
use rustix::io::Errno;

use super::TargetError;

/// What a file system of layers calls itself; it can not rename folders that lie in a lower one.
const OVERLAY: rustix::fs::FsWord = 0x794c_7630;

/// What lies at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A file, or something else that is neither link nor folder.
    File,
    Link,
    Folder,
}

/// What is known of what lies at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) kind: Kind,
    pub(super) device: u64,
    pub(super) inode: u64,
}

/// The folder. All paths are relative to it, plain components joined by `/`.
#[derive(Debug)]
pub(super) struct Beneath {
    root: OwnedFd,
    path: PathBuf,
}

impl Beneath {
    /// Opens the folder; the user named it, so links to it are followed.
    pub(super) fn open(path: &Path) -> Result<Self, TargetError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::open(path, flags, Mode::empty())
            .map_err(|errno| TargetError::io("open", path)(errno.into()))?;
        Ok(Self {
            root,
            path: path.to_owned(),
        })
    }

    /// Returns the full path of something, for words.
    pub(super) fn full(&self, path: &str) -> PathBuf {
        self.path.join(path)
    }

    /// Whether folders below can be renamed wherever they come from.
    pub(super) fn renames_folders(&self) -> bool {
        rustix::fs::fstatfs(&self.root).is_ok_and(|found| found.f_type != OVERLAY)
    }

    /// Opens a folder; none if it is not there.
    fn folder(&self, path: &str) -> Result<Option<OwnedFd>, TargetError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut open = openat(&self.root, ".", flags, Mode::empty())
            .map_err(|errno| TargetError::io("open", &self.path)(errno.into()))?;
        let mut done = 0;
        for component in path.split('/').filter(|it| !it.is_empty()) {
            done = path[done..].find(component).unwrap_or(0) + done + component.len();
            open = match openat(&open, component, flags, Mode::empty()) {
                Ok(next) => next,
                Err(Errno::NOENT) => return Ok(None),
                Err(Errno::NOTDIR | Errno::LOOP | Errno::MLINK) => {
                    let found = statat(&open, component, AtFlags::SYMLINK_NOFOLLOW);
                    if found.is_ok_and(|it| FileType::from_raw_mode(it.st_mode).is_symlink()) {
                        let path = path[..done].to_owned();
                        return Err(TargetError::Linked { path });
                    }
                    return Ok(None);
                }
                Err(errno) => return Err(self.failed("open", path, errno)),
            };
        }
        Ok(Some(open))
    }

    /// Opens the folder that something lies in, and returns its name there.
    fn above<'a>(&self, path: &'a str) -> Result<Option<(OwnedFd, &'a str)>, TargetError> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        Ok(self.folder(folder)?.map(|open| (open, name)))
    }

    /// The same where it has to be there.
    fn above_known<'a>(&self, path: &'a str) -> Result<(OwnedFd, &'a str), TargetError> {
        self.above(path)?
            .ok_or_else(|| self.failed("open the folder of", path, Errno::NOENT))
    }

    /// Looks at what lies at a path; none if nothing does.
    pub(super) fn look(&self, path: &str) -> Result<Option<Look>, TargetError> {
        let Some((folder, name)) = self.above(path)? else {
            return Ok(None);
        };
        match statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => Ok(Some(Look {
                kind: match FileType::from_raw_mode(found.st_mode) {
                    FileType::Directory => Kind::Folder,
                    FileType::Symlink => Kind::Link,
                    _ => Kind::File,
                },
                device: found.st_dev,
                inode: found.st_ino,
            })),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(self.failed("look at", path, errno)),
        }
    }

    /// Whether anything lies at a path.
    pub(super) fn has(&self, path: &str) -> Result<bool, TargetError> {
        Ok(self.look(path)?.is_some())
    }

    /// Returns the names in a folder, sorted; none if there is no such folder.
    pub(super) fn names(&self, path: &str) -> Result<Vec<OsString>, TargetError> {
        let Some(folder) = self.folder(path)? else {
            return Ok(Vec::new());
        };
        let failed = |errno| self.failed("list", path, errno);
        let mut names = Vec::new();
        for entry in Dir::read_from(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name != "." && name != ".." {
                names.push(name.to_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// Opens a regular file to be read; none if there is none, or it is something else.
    pub(super) fn file(&self, path: &str) -> Result<Option<File>, TargetError> {
        let Some((folder, name)) = self.above(path)? else {
            return Ok(None);
        };
        // Without NONBLOCK a fifo would hold the open for ever.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        match openat(&folder, name, flags, Mode::empty()) {
            Ok(file) => {
                let file = File::from(file);
                Ok(file.metadata().is_ok_and(|it| it.is_file()).then_some(file))
            }
            Err(Errno::NOENT | Errno::LOOP | Errno::MLINK | Errno::NXIO) => Ok(None),
            Err(errno) => Err(self.failed("open", path, errno)),
        }
    }

    /// Reads a regular file of at most `limit` bytes; none if there is none, or it is larger.
    pub(super) fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, TargetError> {
        let Some(file) = self.file(path)? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        file.take(limit + 1)
            .read_to_end(&mut bytes)
            .map_err(TargetError::io("read", &self.full(path)))?;
        Ok((bytes.len() as u64 <= limit).then_some(bytes))
    }

    /// Moves something to a name that is free.
    pub(super) fn put(&self, from: &str, to: &str) -> Result<(), TargetError> {
        let ((a, from), (b, name)) = (self.above_known(from)?, self.above_known(to)?);
        match renameat_with(&a, from, &b, name, RenameFlags::NOREPLACE) {
            // Not every file system promises that; nobody who respects the lock is beside us.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                if statat(&b, name, AtFlags::SYMLINK_NOFOLLOW).is_ok() {
                    Err(Errno::EXIST)
                } else {
                    renameat(&a, from, &b, name)
                }
            }
            done => done,
        }
        .map_err(|errno| self.failed("move something to", to, errno))
    }

    /// Moves a file over another.
    pub(super) fn put_over(&self, from: &str, to: &str) -> Result<(), TargetError> {
        let ((a, from), (b, name)) = (self.above_known(from)?, self.above_known(to)?);
        renameat(&a, from, &b, name).map_err(|errno| self.failed("replace", to, errno))
    }

    /// Lets two things take each other's place, at one moment.
    pub(super) fn exchange(&self, one: &str, other: &str) -> Result<(), TargetError> {
        let ((a, from), (b, name)) = (self.above_known(one)?, self.above_known(other)?);
        renameat_with(&a, from, &b, name, RenameFlags::EXCHANGE)
            .map_err(|errno| self.failed("replace", other, errno))
    }

    /// Makes a folder; one that is there stays.
    pub(super) fn make_folder(&self, path: &str) -> Result<(), TargetError> {
        let (folder, name) = self.above_known(path)?;
        match mkdirat(&folder, name, Mode::from_raw_mode(0o777)) {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(errno) => Err(self.failed("create the folder", path, errno)),
        }
    }

    /// Copies a file to a name that is free or holds such a copy, sharing its blocks where the file
    /// system can.
    pub(super) fn copy(&self, from: &str, to: &str) -> Result<(), TargetError> {
        let mut source = self
            .file(from)?
            .ok_or_else(|| self.failed("read", from, Errno::NOENT))?;
        let (folder, name) = self.above_known(to)?;
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let copied = openat(&folder, name, flags, Mode::from_raw_mode(0o600))
            .map_err(std::io::Error::from)
            .map(File::from)
            .and_then(|mut target| {
                std::io::copy(&mut source, &mut target)?;
                target.set_permissions(source.metadata()?.permissions())?;
                target.sync_all()
            });
        copied.map_err(TargetError::io("copy", &self.full(from)))
    }

    /// Removes a folder if it is empty.
    pub(super) fn remove_empty(&self, path: &str) -> Result<(), TargetError> {
        let Some((folder, name)) = self.above(path)? else {
            return Ok(());
        };
        match unlinkat(&folder, name, AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT | Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR) => Ok(()),
            Err(errno) => Err(self.failed("remove", path, errno)),
        }
    }

    /// Makes a folder's entries durable.
    pub(super) fn sync(&self, path: &str) -> Result<(), TargetError> {
        match self.folder(path)? {
            Some(folder) => {
                rustix::fs::fsync(&folder).map_err(|errno| self.failed("sync", path, errno))
            }
            None => Ok(()),
        }
    }

    fn failed(&self, what: &'static str, path: &str, errno: Errno) -> TargetError {
        TargetError::io(what, &self.full(path))(errno.into())
    }
}
