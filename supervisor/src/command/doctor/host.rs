//! What `doctor` finds out about the host without a worker: the file systems that builds and caches meet, and the
//! doors of this machine that a build must not come to.

use std::fs;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use builder::unescaped;
use nix::sys::statvfs::statvfs;
use nix::unistd::{AccessFlags, access};
use serde::Serialize;

/// Where services put their sockets; `/var/run` is a link to the first on nearly every system.
const SOCKETS: [&str; 2] = ["/run", "/var/run"];
/// Folders deep that sockets are looked for.
const DEEPEST: usize = 5;
/// Entries that are looked at, and sockets that are told.
const MOST_ENTRIES: usize = 20_000;
const MOST_SOCKETS: usize = 100;
/// Whether a program can type into the terminal that it shares (Linux 6.2, `dev.tty.legacy_tiocsti`).
const TIOCSTI: &str = "/proc/sys/dev/tty/legacy_tiocsti";

/// The host.
#[derive(Debug, Serialize)]
pub(super) struct HostFacts {
    /// The file systems of the cache, of scratches and of the system's temporary directories.
    pub(super) mounts: Vec<Mount>,
    /// Sockets of services that the caller could connect to, and builds can not.
    pub(super) sockets: Vec<String>,
    /// Control groups in which each build gets one of its own; without them limits are counted from outside.
    pub(super) control_groups: Vec<String>,
    /// Whether the kernel lets programs type into the terminal that they share; unknown to older kernels, which do.
    pub(super) legacy_tiocsti: Option<bool>,
}

/// A directory and what it lies on.
#[derive(Debug, Serialize)]
pub(super) struct Mount {
    /// The directory.
    pub(super) path: String,
    /// What it is for.
    pub(super) purpose: &'static str,
    /// `ext4`, `tmpfs` and the like.
    pub(super) file_system: String,
    /// The options that matter here: `ro`, `noexec`, `nosuid`, `nodev`.
    pub(super) options: Vec<String>,
    /// Bytes that the caller may still write.
    pub(super) free_bytes: u64,
    /// Files that may still be made; none if the file system does not count them.
    pub(super) free_inodes: Option<u64>,
}

impl HostFacts {
    /// Looks at the host; what is not there is left out.
    pub(super) fn of(places: &[(PathBuf, &'static str)], control_groups: Vec<String>) -> Self {
        let table = fs::read("/proc/self/mountinfo").unwrap_or_default();
        Self {
            mounts: places
                .iter()
                .filter_map(|(path, purpose)| Mount::of(path, purpose, &table))
                .collect(),
            sockets: sockets(),
            control_groups,
            legacy_tiocsti: fs::read(TIOCSTI).ok().map(|text| text.trim_ascii() == b"1"),
        }
    }
}

impl Mount {
    fn of(path: &Path, purpose: &'static str, table: &[u8]) -> Option<Self> {
        let path = path.canonicalize().ok()?;
        let space = statvfs(&path).ok()?;
        let (file_system, options) = below(&path, table)?;
        Some(Self {
            path: path.display().to_string(),
            purpose,
            file_system,
            options,
            free_bytes: space.blocks_available() * space.fragment_size(),
            free_inodes: (space.files() > 0).then(|| space.files_available()),
        })
    }
}

/// Returns file system and options of the mount that a path lies on: the deepest one, and of several in one place
/// the last, which covers the others (`proc_pid_mountinfo(5)`).
fn below(path: &Path, table: &[u8]) -> Option<(String, Vec<String>)> {
    let lines = table.split(|byte| *byte == b'\n');
    let mounts = lines.filter_map(|line| {
        let words: Vec<_> = line.split(|byte| *byte == b' ').collect();
        let (own, common) = words.split_at(words.iter().position(|word| *word == b"-")?);
        let (&point, &options, &kind) = (own.get(4)?, own.get(5)?, common.get(1)?);
        Some((unescaped(point), options, kind))
    });
    let covering = mounts.filter(|(point, ..)| path.starts_with(point));
    let (_, options, kind) = covering.max_by_key(|(point, ..)| point.components().count())?;
    let options = String::from_utf8_lossy(options);
    let telling = |option: &&str| matches!(*option, "ro" | "noexec" | "nosuid" | "nodev");
    let options = options.split(',').filter(telling).map(ToOwned::to_owned);
    Some((
        String::from_utf8_lossy(kind).into_owned(),
        options.collect(),
    ))
}

/// The sockets below the folders of services that the caller could connect to. No link is followed.
fn sockets() -> Vec<String> {
    let mut found = Vec::new();
    let mut seen = 0;
    let is_folder = |path: &&str| fs::symlink_metadata(path).is_ok_and(|found| found.is_dir());
    let mut folders: Vec<_> = SOCKETS
        .iter()
        .copied()
        .filter(is_folder)
        .map(|path| (PathBuf::from(path), 0))
        .collect();
    while let Some((folder, depth)) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            seen += 1;
            if seen > MOST_ENTRIES || found.len() >= MOST_SOCKETS {
                return found;
            }
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && depth < DEEPEST => {
                    folders.push((entry.path(), depth + 1));
                }
                Ok(kind)
                    if kind.is_socket() && access(&entry.path(), AccessFlags::W_OK).is_ok() =>
                {
                    found.push(entry.path().display().to_string());
                }
                _ => {}
            }
        }
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[u8] = b"1 0 254:0 / / rw,relatime - ext4 /dev/a rw\n\
        2 1 0:1 / /a\\040b rw,noexec,nosuid - tmpfs none rw\n\
        3 1 0:2 / /c rw - xfs /dev/b rw\n\
        4 3 0:3 / /c ro,nodev shared:1 - overlay none rw\n";

    fn lies_on(path: &str) -> (String, Vec<String>) {
        below(Path::new(path), TABLE).unwrap()
    }

    #[test]
    fn the_deepest_and_last_mount_counts() {
        let options = |words: &[&str]| {
            words
                .iter()
                .map(|&word| word.to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(lies_on("/elsewhere"), ("ext4".to_owned(), options(&[])));
        assert_eq!(
            lies_on("/a b/deep"),
            ("tmpfs".to_owned(), options(&["noexec", "nosuid"]))
        );
        assert_eq!(lies_on("/a bc"), ("ext4".to_owned(), options(&[])));
        assert_eq!(
            lies_on("/c/x"),
            ("overlay".to_owned(), options(&["ro", "nodev"]))
        );
    }
}
