//! Whether what was seen at a path still stands there: a forced removal takes also what is in use.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, fstat, openat, statat};

/// A file or folder as it was seen under its name.
#[derive(Debug)]
pub struct Standing {
    path: PathBuf,
    /// Open, so that nothing else gets its inode number.
    seen: OwnedFd,
}

impl Standing {
    /// Remembers what has the name `path` now; none if nothing has.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Some(Self {
            path: path.to_owned(),
            seen: openat(CWD, path, flags, Mode::empty()).ok()?,
        })
    }

    /// Whether the name still leads to it. Every removal takes a folder out of sight before it takes
    /// anything out of the folder, so what still stands was whole all the time.
    #[must_use]
    pub fn stands(&self) -> bool {
        let named = statat(CWD, &self.path, AtFlags::SYMLINK_NOFOLLOW);
        let same = |named: rustix::fs::Stat| {
            fstat(&self.seen)
                .is_ok_and(|seen| (seen.st_dev, seen.st_ino) == (named.st_dev, named.st_ino))
        };
        named.is_ok_and(same)
    }
}
