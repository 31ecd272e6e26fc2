//! How much a build has put into its rooms, found by walking them without following links.

use std::ffi::{CStr, CString};
use std::fs::Permissions;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, fstat, fstatvfs, openat, statat};
use rustix::io::Errno;

/// Folders below each other that an honest tree may have.
const DEEPEST: usize = 200;

/// The rooms of one build, open.
#[derive(Debug)]
pub(in crate::local) struct Rooms {
    folders: Vec<OwnedFd>,
    /// The device that they lie on.
    pub(in crate::local) device: u64,
}

/// What is found, or how much of it is enough to know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::local) struct Amount {
    /// Bytes on disk.
    pub(in crate::local) bytes: u64,
    /// Files and folders.
    pub(in crate::local) inodes: u64,
    /// The size of the largest file.
    pub(in crate::local) largest_file: u64,
}

impl Amount {
    /// More than any limit: a tree that hides from being counted.
    const HIDDEN: Self = Self {
        bytes: u64::MAX,
        inodes: u64::MAX,
        largest_file: 0,
    };

    fn is_over(&self, most: &Self) -> bool {
        self.bytes > most.bytes || self.inodes > most.inodes
    }
}

const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

impl Rooms {
    /// Opens the rooms `names` of a scratch, before anything of a build runs.
    pub(in crate::local) fn open(
        scratch: BorrowedFd<'_>,
        names: &[String],
    ) -> std::io::Result<Self> {
        let folders = names
            .iter()
            .map(|name| openat(scratch, name.as_str(), FOLDER, Mode::empty()))
            .collect::<Result<_, _>>()?;
        let device = fstat(scratch)?.st_dev;
        Ok(Self { folders, device })
    }

    /// Bytes that their file system has left for a build. One that does not say has room.
    pub(in crate::local) fn left(&self) -> u64 {
        let told = self.folders.first().map(fstatvfs).and_then(Result::ok);
        told.filter(|told| told.f_blocks > 0)
            .map_or(u64::MAX, |told| told.f_bavail.saturating_mul(told.f_frsize))
    }

    /// Walks every room, as far as it takes to know whether `most` is exceeded. A folder that can
    /// not be read even after its mode is mended, or that lies deeper than any honest one, exceeds
    /// every limit.
    pub(in crate::local) fn used(&self, most: &Amount) -> Amount {
        let mut used = Amount::default();
        for room in &self.folders {
            if used.is_over(most) {
                break;
            }
            match readable(room.as_fd(), c".") {
                Ok(dir) => walk(dir, 0, &mut used, most),
                Err(_) => return Amount::HIDDEN,
            }
        }
        used
    }
}

/// Opens a folder; one that its own mode forbids has another mode for the moment that takes.
fn readable(parent: BorrowedFd<'_>, name: &CStr) -> rustix::io::Result<(OwnedFd, Dir)> {
    match openat(parent, name, FOLDER, Mode::empty()) {
        Err(Errno::ACCESS) => {
            // Pinned, so that what is mended is what was found, whatever the name means by now.
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let pinned = openat(parent, name, flags, Mode::empty())?;
            let path = format!("/proc/self/fd/{}", pinned.as_raw_fd());
            let set = |mode| std::fs::set_permissions(&path, Permissions::from_mode(mode));
            let before = fstat(&pinned)?.st_mode & 0o7777;
            set(0o700).map_err(|_| Errno::ACCESS)?;
            let opened = openat(&pinned, c".", FOLDER, Mode::empty()).and_then(listed);
            // Whoever closed it may rely on that.
            let _ = set(before);
            opened
        }
        opened => opened.and_then(listed),
    }
}

/// A folder with its list, which is opened anew.
fn listed(folder: OwnedFd) -> rustix::io::Result<(OwnedFd, Dir)> {
    let entries = Dir::read_from(&folder)?;
    Ok((folder, entries))
}

fn walk((folder, entries): (OwnedFd, Dir), depth: usize, used: &mut Amount, most: &Amount) {
    let mut below: Vec<CString> = Vec::new();
    for entry in entries.flatten() {
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        used.inodes += 1;
        if entry.file_type() == FileType::Directory {
            below.push(name.to_owned());
        } else if let Ok(found) = statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            used.bytes += u64::try_from(found.st_blocks).unwrap_or(0) * 512;
            if FileType::from_raw_mode(found.st_mode) == FileType::RegularFile {
                let size = u64::try_from(found.st_size).unwrap_or(0);
                used.largest_file = used.largest_file.max(size);
            }
        }
        if used.is_over(most) {
            return;
        }
    }
    if depth >= DEEPEST && !below.is_empty() {
        *used = Amount::HIDDEN;
        return;
    }
    for name in below {
        match readable(folder.as_fd(), &name) {
            Ok(dir) => walk(dir, depth + 1, used, most),
            // Gone since it was listed, or a folder no more.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {}
            Err(_) => *used = Amount::HIDDEN,
        }
        if used.is_over(most) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDLESS: Amount = Amount {
        bytes: u64::MAX,
        inodes: u64::MAX,
        largest_file: u64::MAX,
    };

    #[test]
    fn rooms_are_counted_without_following_links_and_no_mode_hides_a_folder() {
        let scratch = tempfile::tempdir().expect("a temporary folder can be made");
        let outside = tempfile::tempdir().expect("a temporary folder can be made");
        std::fs::write(outside.path().join("large"), vec![1; 1 << 20]).expect("it can be written");
        let folder = scratch.path().join("s/closed/deeper");
        std::fs::create_dir_all(&folder).expect("folders can be made");
        std::fs::write(folder.join("file"), vec![1; 64 << 10]).expect("it can be written");
        std::os::unix::fs::symlink(outside.path(), scratch.path().join("s/link"))
            .expect("a link can be made");
        let closed = scratch.path().join("s/closed");
        std::fs::set_permissions(&closed, Permissions::from_mode(0o000))
            .expect("an own mode can be set");
        let scratch = std::fs::File::open(scratch.path()).expect("it can be opened");
        let rooms = Rooms::open(scratch.as_fd(), &["s".to_owned()]).expect("the room is there");
        let used = rooms.used(&ENDLESS);
        assert_eq!((used.inodes, used.largest_file), (4, 64 << 10), "{used:?}");
        let after = closed.metadata().expect("it is there").permissions();
        assert_eq!(after.mode() & 0o7777, 0, "it is as it was");
        assert!(used.bytes < 1 << 20, "{used:?}");
        let most = Amount {
            inodes: 1,
            ..ENDLESS
        };
        assert!(rooms.used(&most).inodes > 1);
    }
}
