//! The folder that is being filled: every path checked, written once, with fixed modes and times.
//!
//! Nobody else can reach the folder while it is filled; what is guarded against is what wheels put
//! into names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirBuilder, File, FileTimes};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use model::Sha256;
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};

use super::InstallError;

/// Who writes what belongs to no wheel.
pub(super) const OWNER: &str = "fumehood";

/// Every file's time: 1980-01-01, the first that a zip can hold. Seconds since 1970.
const TIME: u64 = 315_532_800;
/// The deepest path, in components.
const MAX_DEPTH: usize = 64;
/// The longest component and the longest path, in bytes.
const MAX_COMPONENT: usize = 255;
const MAX_PATH: usize = 1024;

/// What files and folders of a tree look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Fixed modes and times: what is never changed again.
    Immutable,
    /// The user's umask and the present time: what the user goes on working with. Python takes
    /// bytecode for that of a source by the source's time and size, so the time has to be the real one.
    Usual,
}

/// A file in the tree.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    /// Who wrote it: a wheel's file name.
    pub(super) by: String,
    /// The content.
    pub(super) sha256: Sha256,
}

/// The tree.
#[derive(Debug)]
pub(crate) struct Tree {
    root: PathBuf,
    manner: Manner,
    files: BTreeMap<String, Claim>,
    folders: BTreeSet<String>,
}

impl Tree {
    /// Starts with an empty folder, which is made.
    pub(crate) fn create(root: &Path, manner: Manner) -> Result<Self, InstallError> {
        make_folder(root, manner)?;
        Ok(Self {
            root: root.to_owned(),
            manner,
            files: BTreeMap::new(),
            folders: BTreeSet::new(),
        })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the paths of all files, sorted.
    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Returns the paths of all files with the digests of their content, sorted.
    pub(crate) fn digests(&self) -> impl Iterator<Item = (String, Sha256)> {
        self.files
            .iter()
            .map(|(path, claim)| (path.clone(), claim.sha256))
    }

    pub(crate) fn manner(&self) -> Manner {
        self.manner
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// Makes a folder and those above it.
    pub(super) fn folder(&mut self, path: &str) -> Result<(), InstallError> {
        if path.is_empty() || self.folders.contains(path) {
            return Ok(());
        }
        if let Some(claim) = self.files.get(path) {
            return Err(conflict(path, &claim.by, "a folder"));
        }
        self.folder(path.rsplit_once('/').map_or("", |(above, _)| above))?;
        make_folder(&self.root.join(path), self.manner)?;
        self.folders.insert(path.to_owned());
        Ok(())
    }

    /// Makes a symbolic link; only for what is ours.
    pub(super) fn link(&mut self, path: &str, target: &Path) -> Result<(), InstallError> {
        self.folder(path.rsplit_once('/').map_or("", |(above, _)| above))?;
        let full = self.root.join(path);
        std::os::unix::fs::symlink(target, &full).map_err(InstallError::io("link", &full))?;
        let time = Timespec {
            tv_sec: TIME.cast_signed(),
            tv_nsec: 0,
        };
        let times = Timestamps {
            last_access: time,
            last_modification: time,
        };
        utimensat(CWD, &full, &times, AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|errno| InstallError::io("set the times of", &full)(errno.into()))?;
        let claim = Claim {
            by: OWNER.to_owned(),
            sha256: Sha256::of(target.as_os_str().as_encoded_bytes()),
        };
        self.files.insert(path.to_owned(), claim);
        Ok(())
    }

    /// Writes a whole file.
    pub(crate) fn put(
        &mut self,
        path: &str,
        bytes: &[u8],
        executable: bool,
        by: &str,
    ) -> Result<Sha256, InstallError> {
        let sha256 = Sha256::of(bytes);
        if let Some(mut file) = self.claim(path, sha256, executable, by)? {
            file.write_all(bytes)
                .map_err(InstallError::io("write", &self.root.join(path)))?;
            self.finish(path, &file, executable)?;
        }
        Ok(sha256)
    }

    /// Takes a path for content with the digest `sha256`, and returns the file to write; none if
    /// the same content is there already.
    pub(super) fn claim(
        &mut self,
        path: &str,
        sha256: Sha256,
        executable: bool,
        by: &str,
    ) -> Result<Option<File>, InstallError> {
        check_path(path).map_err(|reason| InstallError::BadWheel {
            wheel: by.to_owned(),
            reason: format!("`{}` {reason}", printable(path)),
        })?;
        if let Some(claim) = self.files.get(path) {
            if claim.sha256 == sha256 && claim.by != OWNER {
                return Ok(None);
            }
            return Err(conflict(path, &claim.by, by));
        }
        if self.folders.contains(path) {
            return Err(conflict(path, "a folder", by));
        }
        self.folder(path.rsplit_once('/').map_or("", |(above, _)| above))?;
        let full = self.root.join(path);
        let mode = match self.manner {
            Manner::Immutable => 0o644,
            Manner::Usual if executable => 0o777,
            Manner::Usual => 0o666,
        };
        let file = File::options()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&full)
            .map_err(InstallError::io("create", &full))?;
        let claim = Claim {
            by: by.to_owned(),
            sha256,
        };
        self.files.insert(path.to_owned(), claim);
        Ok(Some(file))
    }

    /// Gives a written file its mode and times.
    pub(super) fn finish(
        &self,
        path: &str,
        file: &File,
        executable: bool,
    ) -> Result<(), InstallError> {
        if self.manner == Manner::Usual {
            return Ok(());
        }
        let mode = if executable { 0o755 } else { 0o644 };
        file.set_permissions(fs::Permissions::from_mode(mode))
            .and_then(|()| file.set_times(times()))
            .map_err(InstallError::io("set the times of", &self.root.join(path)))
    }

    /// Gives all folders their times, once nothing is written any more.
    pub(super) fn settle(&self) -> Result<(), InstallError> {
        let inner = self.folders.iter().rev().map(|path| self.root.join(path));
        for folder in inner.chain([self.root.clone()]) {
            File::open(&folder)
                .and_then(|open| open.set_times(times()))
                .map_err(InstallError::io("set the times of", &folder))?;
        }
        Ok(())
    }
}

fn times() -> FileTimes {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(TIME);
    FileTimes::new().set_accessed(time).set_modified(time)
}

fn make_folder(path: &Path, manner: Manner) -> Result<(), InstallError> {
    let made = match manner {
        Manner::Usual => DirBuilder::new().mode(0o777).create(path),
        Manner::Immutable => DirBuilder::new()
            .mode(0o755)
            .create(path)
            .and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(0o755))),
    };
    made.map_err(InstallError::io("create the folder", path))
}

fn conflict(path: &str, first: &str, second: &str) -> InstallError {
    InstallError::Conflict {
        path: printable(path),
        first: first.to_owned(),
        second: second.to_owned(),
    }
}

/// Says what is wrong with a path from a wheel; nothing is, for a relative path of plain names.
pub(crate) fn check_path(path: &str) -> Result<(), &'static str> {
    if path.is_empty() || path.starts_with('/') {
        return Err("is not a relative path");
    }
    if path.len() > MAX_PATH || path.split('/').count() > MAX_DEPTH {
        return Err("is too long a path");
    }
    for component in path.split('/') {
        if component.is_empty() || component == "." || component == ".." {
            return Err("holds an empty component, `.` or `..`");
        }
        if component.len() > MAX_COMPONENT {
            return Err("holds too long a name");
        }
        if component.contains(['\\', '\0']) || component.chars().any(char::is_control) {
            return Err("holds a backslash or control character");
        }
    }
    Ok(())
}

/// Returns a short form of a stranger's text that is safe to print.
pub(crate) fn printable(text: &str) -> String {
    let mut short: String = text
        .chars()
        .take(200)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if short.len() < text.len() && text.chars().count() > 200 {
        short.push('…');
    }
    short
}
