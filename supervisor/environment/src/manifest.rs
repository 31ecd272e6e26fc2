//! Manifests: what every entry of a folder looks like from outside, to see whether it changed.
//!
//! Where the kernel does not keep builds from changing an environment's metadata, one is taken
//! after publication and compared before the next use. It reads no content: a change of content
//! or metadata moves the change time, which no build can set.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use model::Sha256;
use serde::{Deserialize, Serialize};

/// The most entries of a folder that a manifest is taken of.
const MAX_ENTRIES: usize = 2_000_000;

/// Every entry of a folder, and of the folders in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// By path relative to the folder, in hexadecimal: names need not be text.
    entries: BTreeMap<String, Entry>,
}

/// Mode, owner, group, size, links; then inode; then seconds and nanoseconds of the times of
/// modification and of change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry(u32, u32, u32, u64, u64, u64, i64, i64, i64, i64);

/// The first difference between two manifests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// An entry is gone.
    Missing(PathBuf),
    /// An entry is new.
    Added(PathBuf),
    /// An entry changed.
    Changed(PathBuf),
}

/// A manifest could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// An entry could not be looked at.
    #[error("could not look at `{}`", path.display())]
    Io {
        /// The entry.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There are too many.
    #[error("`{}` holds more than {MAX_ENTRIES} entries", path.display())]
    TooMany {
        /// The folder.
        path: PathBuf,
    },
}

impl ManifestError {
    /// Returns the stable code.
    #[must_use]
    pub fn code(&self) -> model::Code {
        model::Code::Io
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing(path) => write!(out, "`{}` is gone", path.display()),
            Self::Added(path) => write!(out, "`{}` is new", path.display()),
            Self::Changed(path) => write!(out, "`{}` changed", path.display()),
        }
    }
}

impl Manifest {
    /// Looks at a folder and everything in it; follows no links, opens no files.
    ///
    /// # Errors
    /// If an entry can not be looked at, or there are too many.
    pub fn of(root: &Path) -> Result<Self, ManifestError> {
        let mut entries = BTreeMap::new();
        let mut folders = vec![PathBuf::new()];
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| ManifestError::Io { path, source }
        };
        let about = fs::symlink_metadata(root).map_err(failed(root))?;
        entries.insert(String::new(), Entry::of(&about));
        while let Some(folder) = folders.pop() {
            let full = root.join(&folder);
            for entry in fs::read_dir(&full).map_err(failed(&full))? {
                let entry = entry.map_err(failed(&full))?;
                let about = entry.metadata().map_err(failed(&entry.path()))?;
                let path = folder.join(entry.file_name());
                if about.is_dir() {
                    folders.push(path.clone());
                }
                entries.insert(hex::encode(path.as_os_str().as_bytes()), Entry::of(&about));
                if entries.len() > MAX_ENTRIES {
                    return Err(ManifestError::TooMany {
                        path: root.to_owned(),
                    });
                }
            }
        }
        Ok(Self { entries })
    }

    /// Returns the first way in which `now` differs from this manifest.
    #[must_use]
    pub fn difference(&self, now: &Self) -> Option<Difference> {
        for (path, entry) in &self.entries {
            match now.entries.get(path) {
                None => return Some(Difference::Missing(readable(path))),
                Some(other) if other != entry => return Some(Difference::Changed(readable(path))),
                Some(_) => {}
            }
        }
        now.entries
            .keys()
            .find(|path| !self.entries.contains_key(*path))
            .map(|path| Difference::Added(readable(path)))
    }

    /// Returns a digest of all of it.
    #[must_use]
    pub fn digest(&self) -> Sha256 {
        Sha256::of(format!("{:?}", self.entries))
    }

    /// Returns how many entries there are, the folder itself included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it is of nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl Entry {
    fn of(about: &fs::Metadata) -> Self {
        Self(
            about.mode(),
            about.uid(),
            about.gid(),
            about.size(),
            // The number of links of a folder is its number of folders on some file systems only.
            if about.is_dir() { 0 } else { about.nlink() },
            about.ino(),
            about.mtime(),
            about.mtime_nsec(),
            about.ctime(),
            about.ctime_nsec(),
        )
    }
}

fn readable(path: &str) -> PathBuf {
    PathBuf::from(OsString::from_vec(hex::decode(path).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("a")).unwrap();
        fs::write(folder.path().join("a/b"), "text").unwrap();
        std::os::unix::fs::symlink("b", folder.path().join("a/c")).unwrap();
        folder
    }

    #[test]
    fn an_untouched_folder_has_no_difference_also_after_a_round_trip() {
        let folder = folder();
        let before = Manifest::of(folder.path()).unwrap();
        assert_eq!(before.len(), 4);
        let kept: Manifest = serde_json::from_slice(&serde_json::to_vec(&before).unwrap()).unwrap();
        assert_eq!(kept.difference(&Manifest::of(folder.path()).unwrap()), None);
    }

    #[test]
    fn every_kind_of_change_is_seen() {
        type Change = fn(&Path);
        let changes: [(Change, Difference); 4] = [
            (
                |it| fs::remove_file(it.join("a/c")).unwrap(),
                Difference::Changed("a".into()),
            ),
            (
                |it| fs::write(it.join("a/b"), "next").unwrap(),
                Difference::Changed("a/b".into()),
            ),
            (
                |it| {
                    fs::set_permissions(it.join("a/b"), fs::Permissions::from_mode(0o600)).unwrap()
                },
                Difference::Changed("a/b".into()),
            ),
            (
                |it| fs::write(it.join("d"), "").unwrap(),
                Difference::Changed("".into()),
            ),
        ];
        for (change, expected) in changes {
            let folder = folder();
            let before = Manifest::of(folder.path()).unwrap();
            change(folder.path());
            let after = Manifest::of(folder.path()).unwrap();
            assert_eq!(before.difference(&after), Some(expected));
        }
    }

    #[test]
    fn content_and_time_put_back_are_still_seen_by_the_change_time() {
        let folder = folder();
        let file = folder.path().join("a/b");
        let before = Manifest::of(folder.path()).unwrap();
        let modified = fs::metadata(&file).unwrap().modified().unwrap();
        // The clock of the file system ticks in milliseconds; wait until it moved.
        let ctime = |path: &Path| {
            let it = fs::metadata(path).unwrap();
            (it.ctime(), it.ctime_nsec())
        };
        let first = ctime(&file);
        while ctime(&file) == first {
            fs::write(&file, "evil").unwrap();
            fs::write(&file, "text").unwrap();
            fs::File::options()
                .write(true)
                .open(&file)
                .unwrap()
                .set_modified(modified)
                .unwrap();
        }
        let after = Manifest::of(folder.path()).unwrap();
        assert_eq!(
            before.difference(&after),
            Some(Difference::Changed("a/b".into()))
        );
    }
}
