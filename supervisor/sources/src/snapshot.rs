//! What a local source looked like from outside when its bytes were read: one look at every file
//! tells later whether they have to be read again.
//!
//! The change time is what counts: no program can set it, so a file that was replaced by an older
//! one shows as well. Two changes within one tick of the file system's clock look like one, so a
//! file that changed at about the time of the look proves nothing (git calls it racily clean).

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use archive::Listing;
use serde::{Deserialize, Serialize};

/// Seconds; the coarsest clock of a file system ticks this slowly.
const TICK: i64 = 2;
/// Files of a repository that are looked at.
const MOST_REFS: usize = 20_000;
/// What decides, beside the work tree, what is packed and which version it is given.
const REPOSITORY: [&str; 6] = [
    "HEAD",
    "index",
    "packed-refs",
    "shallow",
    "config",
    "reftable",
];

/// One look at every file of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    /// Seconds of Unix time at which the look began.
    taken: i64,
    /// By path; of the repository's own files, which are not packed, behind two slashes.
    entries: BTreeMap<String, Stamp>,
}

/// Type and mode, size, inode; then seconds and nanoseconds of the times of modification and of
/// change. Of a folder the type alone: what is in it is looked at by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp(u32, u64, u64, i64, i64, i64, i64);

/// What comparing two looks shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing changed.
    Same,
    /// Nothing seems to have changed, but a change within one tick would not show.
    Unsure,
    /// Something changed.
    Changed,
}

impl Snapshot {
    /// Looks at one file.
    pub(crate) fn of_file(path: &Path) -> io::Result<Self> {
        let taken = now();
        let stamp = Stamp::of(&fs::metadata(path)?);
        Ok(Self {
            taken,
            entries: [(String::new(), stamp)].into(),
        })
    }

    /// Looks at everything that would be packed of a folder, and at the repository that it is in.
    /// None where a look does not tell: the repository is a work tree of another one, or has
    /// submodules or too many references.
    pub(crate) fn of_tree(listing: &Listing, taken: i64) -> io::Result<Option<Self>> {
        let mut entries = BTreeMap::new();
        for path in &listing.paths {
            let about = fs::symlink_metadata(listing.root.join(path))?;
            entries.insert(path.clone(), Stamp::of(&about));
        }
        let known = repository(&listing.root, &mut entries)?;
        Ok(known.then_some(Self { taken, entries }))
    }

    /// Compares this earlier look with the one of `now`.
    pub(crate) fn compare(&self, now: &Self) -> Verdict {
        if self.entries != now.entries {
            return Verdict::Changed;
        }
        let is_racy = |stamp: &Stamp| stamp.5 >= self.taken.saturating_sub(TICK);
        if self.entries.values().any(is_racy) {
            Verdict::Unsure
        } else {
            Verdict::Same
        }
    }
}

impl Stamp {
    fn of(about: &Metadata) -> Self {
        if about.is_dir() {
            return Self(about.mode() & 0o170_000, 0, 0, 0, 0, i64::MIN, 0);
        }
        Self(
            about.mode(),
            about.size(),
            about.ino(),
            about.mtime(),
            about.mtime_nsec(),
            about.ctime(),
            about.ctime_nsec(),
        )
    }
}

/// Looks at the repository around `root`; false if a look does not tell everything.
fn repository(root: &Path, entries: &mut BTreeMap<String, Stamp>) -> io::Result<bool> {
    let mut found = root.ancestors().map(|folder| folder.join(".git"));
    let Some(git) = found.find(|git| git.symlink_metadata().is_ok()) else {
        return Ok(true);
    };
    if !git.symlink_metadata()?.is_dir() || git.join("modules").exists() {
        return Ok(false);
    }
    let mut pending: Vec<PathBuf> = REPOSITORY.iter().map(|name| git.join(name)).collect();
    pending.push(git.join("refs"));
    while let Some(path) = pending.pop() {
        let about = match path.symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            other => other?,
        };
        if about.is_dir() {
            for entry in fs::read_dir(&path)? {
                pending.push(entry?.path());
            }
        }
        entries.insert(format!("//{}", path.display()), Stamp::of(&about));
        if pending.len() > MOST_REFS {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Returns the seconds of Unix time.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(root: &Path) -> Listing {
        archive::listing(root, &archive::Exclusions::default()).unwrap()
    }

    fn look(root: &Path, taken: i64) -> Option<Snapshot> {
        Snapshot::of_tree(&listing(root), taken).unwrap()
    }

    /// Long after everything in the folder.
    const LATER: i64 = i64::MAX / 2;

    #[test]
    fn every_change_shows_and_a_look_at_the_time_of_a_change_proves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir(root.join("a")).unwrap();
        fs::write(root.join("a/b"), "text").unwrap();
        fs::write(root.join("setup.py"), "").unwrap();
        let first = look(root, LATER).unwrap();
        assert_eq!(first.compare(&look(root, 0).unwrap()), Verdict::Same);
        let early = look(root, now()).unwrap();
        assert_eq!(early.compare(&first), Verdict::Unsure);

        fs::write(root.join("a/c"), "").unwrap();
        let added = look(root, LATER).unwrap();
        assert_eq!(first.compare(&added), Verdict::Changed);
        fs::remove_file(root.join("a/c")).unwrap();
        assert_eq!(added.compare(&look(root, 0).unwrap()), Verdict::Changed);
        assert_eq!(first.compare(&look(root, 0).unwrap()), Verdict::Same);
        // An older file of the same size and time in the place of the newer one.
        let modified = fs::metadata(root.join("a/b")).unwrap().modified().unwrap();
        fs::write(root.join("older"), "next").unwrap();
        let older = fs::File::options().write(true).open(root.join("older"));
        older.unwrap().set_modified(modified).unwrap();
        let moved = rustix::fs::rename(root.join("older"), root.join("a/b"));
        moved.unwrap();
        assert_eq!(first.compare(&look(root, 0).unwrap()), Verdict::Changed);
    }

    #[test]
    fn tags_and_commits_show_and_what_can_not_be_looked_at_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::write(root.join("setup.py"), "").unwrap();
        fs::create_dir_all(root.join(".git/refs/tags")).unwrap();
        fs::write(root.join(".git/HEAD"), "ref: refs/heads/main").unwrap();
        let first = look(root, LATER).unwrap();
        fs::write(root.join(".git/refs/tags/v1"), "0").unwrap();
        assert_eq!(first.compare(&look(root, 0).unwrap()), Verdict::Changed);
        fs::create_dir(root.join(".git/modules")).unwrap();
        assert_eq!(look(root, LATER), None);
        fs::remove_dir_all(root.join(".git")).unwrap();
        fs::write(root.join(".git"), "gitdir: ../elsewhere").unwrap();
        assert_eq!(look(root, LATER), None);
    }
}
