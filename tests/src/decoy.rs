//! Secrets that exist once, and the exact state of files before and after.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::search;

/// Returns a text that stands nowhere else on this host.
#[must_use]
pub fn secret() -> String {
    format!("decoy{:016x}", RandomState::new().hash_one("decoy"))
}

/// The state of one file or folder, all of it that a stranger could change but the time of access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    mode: u32,
    owner: (u32, u32),
    links: u64,
    modified: (i64, i64),
    content: String,
    attributes: BTreeMap<String, Vec<u8>>,
}

impl State {
    /// The same at any time of modification.
    #[must_use]
    pub fn at_any_time(mut self) -> Self {
        self.modified = (0, 0);
        self
    }

    /// Returns the state of a path, or nothing if there is nothing.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let data = fs::symlink_metadata(path).ok()?;
        let content = match data.file_type() {
            kind if kind.is_file() => search::sha256(&fs::read(path).unwrap_or_default()),
            kind if kind.is_symlink() => fs::read_link(path).ok()?.display().to_string(),
            kind => format!("{kind:?}"),
        };
        // A folder's link count changes with the folders in it, which have states of their own.
        let links = if data.is_dir() { 0 } else { data.nlink() };
        Some(Self {
            mode: data.mode(),
            owner: (data.uid(), data.gid()),
            links,
            modified: (data.mtime(), data.mtime_nsec()),
            content,
            attributes: attributes(path),
        })
    }
}

/// Returns when anything about a path changed last, whatever it was and whether it differs.
#[must_use]
pub fn changed_at(path: &Path) -> Option<(i64, i64)> {
    let data = fs::symlink_metadata(path).ok()?;
    Some((data.ctime(), data.ctime_nsec()))
}

/// Returns the states of everything below a path, the path itself included.
#[must_use]
pub fn states(root: &Path) -> BTreeMap<PathBuf, State> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(path) = open.pop() {
        if let Some(state) = State::of(&path) {
            found.insert(path.clone(), state);
        }
        if fs::symlink_metadata(&path).is_ok_and(|data| data.is_dir()) {
            open.extend(
                fs::read_dir(&path)
                    .into_iter()
                    .flatten()
                    .flatten()
                    .map(|entry| entry.path()),
            );
        }
    }
    found
}

/// Lists what differs between two listings of states.
#[must_use]
pub fn changes(before: &BTreeMap<PathBuf, State>, after: &BTreeMap<PathBuf, State>) -> Vec<String> {
    let all = before
        .keys()
        .chain(after.keys().filter(|path| !before.contains_key(*path)));
    all.filter(|path| before.get(*path) != after.get(*path))
        .map(|path| {
            format!(
                "{}: {:?} became {:?}",
                path.display(),
                before.get(path),
                after.get(path)
            )
        })
        .collect()
}

/// Sets an extended attribute, as the suite's own mark.
///
/// # Panics
/// When the file system has none.
pub fn mark(path: &Path, name: &str, value: &[u8]) {
    rustix::fs::setxattr(path, name, value, rustix::fs::XattrFlags::empty())
        .expect("the temporary folder's file system has user attributes");
}

fn attributes(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut names = vec![0u8; 4096];
    let length = rustix::fs::llistxattr(path, &mut names).unwrap_or(0);
    let names = names[..length]
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty());
    names
        .map(|name| {
            let mut value = vec![0u8; 4096];
            let length = rustix::fs::lgetxattr(path, name, &mut value).unwrap_or(0);
            (
                String::from_utf8_lossy(name).into_owned(),
                value[..length].to_vec(),
            )
        })
        .collect()
}
