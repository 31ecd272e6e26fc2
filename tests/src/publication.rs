//! What a trace shows of things that get their final names: their bytes are synced before, the folder afterwards.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use crate::trace::{self, Call};

/// The calls by which something gets a name, and those that make it stay.
pub const PUBLISHING: &str = "open,openat,fsync,fdatasync,mkdir,mkdirat,unlink,unlinkat,rename,renameat,renameat2,link,linkat";

/// Something got a name.
#[derive(Clone, Debug)]
pub struct Publication {
    /// What it was called before.
    pub from: PathBuf,
    /// Its name.
    pub to: PathBuf,
    /// What had that name got the other one.
    exchanges: bool,
    began: usize,
    ended: usize,
}

/// The trace of a run.
#[derive(Debug)]
pub struct Publications {
    calls: Vec<Call>,
    names: Vec<Publication>,
}

impl Publications {
    /// Reads what strace has written, see [`PUBLISHING`].
    #[must_use]
    pub fn read(log: &Path) -> Self {
        let calls = trace::calls(log);
        let mut opened: BTreeMap<(u32, String), PathBuf> = BTreeMap::new();
        let mut names = Vec::new();
        for call in &calls {
            if let (true, Some(path)) = (call.name.starts_with("open"), call.returned()) {
                let number = call.answer.split('<').next().unwrap_or_default();
                opened.insert((call.pid, number.trim().to_owned()), path);
            }
            if !call.name.starts_with("rename") && !call.name.starts_with("link") {
                continue;
            }
            let paths = call.paths(Path::new("/"));
            let [from, to] = paths.as_slice() else {
                continue;
            };
            // A file without a name is linked by its descriptor.
            let from = match from.strip_prefix("/proc/self/fd") {
                Ok(number) => {
                    let key = (call.pid, number.display().to_string());
                    opened.get(&key).cloned().unwrap_or_else(|| from.clone())
                }
                Err(_) => from.clone(),
            };
            names.push(Publication {
                from,
                to: to.clone(),
                exchanges: call.arguments.contains("RENAME_EXCHANGE"),
                began: call.began,
                ended: call.ended,
            });
        }
        Self { calls, names }
    }

    /// Sees that what got a name that is its last one was synced before, and its folder afterwards; returns it.
    ///
    /// # Panics
    /// When something was not.
    pub fn names_in_order(&self, is_last: impl Fn(&Path) -> bool) -> Vec<&Publication> {
        let published: Vec<_> = self.names.iter().filter(|it| is_last(&it.to)).collect();
        for one in &published {
            self.was_whole_before(one);
            let folder = one.to.parent().expect("a folder");
            assert!(
                self.is_synced(folder, one.ended..usize::MAX),
                "the folder of {} was not synced",
                one.to.display()
            );
        }
        published
    }

    /// The same, and sees that this is the only way in which something came to be there.
    ///
    /// # Panics
    /// When something was not in order, was written in place, or lies in a new folder that is not synced.
    pub fn in_order(&self, is_last: impl Fn(&Path) -> bool) -> Vec<&Publication> {
        self.folders_are_durable(&is_last);
        self.nothing_is_written_in_place(&is_last);
        self.names_in_order(is_last)
    }

    /// Everything in it was synced before it had its name. What is a link has no bytes of its own.
    fn was_whole_before(&self, one: &Publication) {
        let (from, to) = (one.from.display(), one.to.display());
        for place in places(&one.to) {
            let came_later = |later: &Publication| {
                later.ended > one.ended && later.to != one.to && place.starts_with(&later.to)
            };
            if self.names.iter().any(came_later) {
                continue;
            }
            let staged = moved(&place, &one.to, &one.from);
            assert!(
                self.was_synced(&staged, one.began),
                "{} was not synced before {from} became {to}",
                staged.display()
            );
        }
    }

    /// Whether what had a name at a moment was synced before: under that name, or under one that it had earlier.
    fn was_synced(&self, path: &Path, moment: usize) -> bool {
        let earlier = self.names.iter().rev().find_map(|one| {
            let is_in = |name: &Path| one.ended < moment && path.starts_with(name);
            if is_in(&one.to) {
                Some((moved(path, &one.to, &one.from), one))
            } else if one.exchanges && is_in(&one.from) {
                Some((moved(path, &one.from, &one.to), one))
            } else {
                None
            }
        });
        let since = earlier.as_ref().map_or(0, |(_, one)| one.ended);
        self.is_synced(path, since..moment)
            || earlier.is_some_and(|(name, one)| self.was_synced(&name, one.began))
    }

    /// The folder above each folder that was made there was synced afterwards.
    fn folders_are_durable(&self, is_last: &impl Fn(&Path) -> bool) {
        for call in self.calls.iter().filter(|it| it.name.starts_with("mkdir")) {
            let made = call.paths(Path::new("/")).pop().expect("a path");
            if is_last(&made) {
                let above = made.parent().expect("a folder");
                assert!(
                    self.is_synced(above, call.ended..usize::MAX),
                    "the folder above {} was not synced",
                    made.display()
                );
            }
        }
    }

    /// Nothing is opened to be written under its last name.
    fn nothing_is_written_in_place(&self, is_last: &impl Fn(&Path) -> bool) {
        for call in self.calls.iter().filter(|it| it.name.starts_with("open")) {
            let writes = ["O_WRONLY", "O_RDWR", "O_TRUNC"];
            let writes = writes.iter().any(|flag| call.arguments.contains(flag));
            if !writes || call.arguments.contains("O_TMPFILE") {
                continue;
            }
            let path = call.returned().expect("an open file has a path");
            assert!(!is_last(&path), "{} is written in place", path.display());
        }
    }

    /// Sees that something is removed, and that before it all folders were synced in which names came and went until
    /// then; those that are gone can not be.
    ///
    /// # Panics
    /// When not.
    pub fn are_durable_before_removing(&self, is_last: impl Fn(&Path) -> bool, file: &Path) {
        let removal = self
            .calls
            .iter()
            .filter(|call| call.name.starts_with("unlink"))
            .find(|call| call.paths(Path::new("/")).iter().any(|path| path == file));
        let removal = removal.unwrap_or_else(|| panic!("{} was not removed", file.display()));
        for one in self.names.iter().filter(|it| it.ended < removal.began) {
            for name in [&one.from, &one.to].into_iter().filter(|it| is_last(it)) {
                let folder = name.parent().expect("a folder");
                assert!(
                    !folder.exists() || self.is_synced(folder, one.ended..removal.began),
                    "the folder of {} was not synced before {} was removed",
                    name.display(),
                    file.display()
                );
            }
        }
    }

    /// Whether a sync of it began and ended between two moments.
    fn is_synced(&self, path: &Path, between: Range<usize>) -> bool {
        let syncs = self.calls.iter().filter(|it| it.name.ends_with("sync"));
        syncs
            .filter(|it| it.began > between.start && it.ended < between.end)
            .any(|it| it.descriptor().as_deref() == Some(path))
    }
}

/// Returns what a path is called when one of the folders that it lies in, or itself, is called otherwise.
fn moved(path: &Path, folder: &Path, other: &Path) -> PathBuf {
    match path.strip_prefix(folder) {
        Ok(inside) if inside != Path::new("") => other.join(inside),
        _ => other.to_owned(),
    }
}

/// Returns a path and, if it is a folder, all files and folders below it, but no links.
fn places(path: &Path) -> Vec<PathBuf> {
    let mut found = vec![path.to_owned()];
    if path.is_symlink() || !path.is_dir() {
        return found;
    }
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        if !entry.path().is_symlink() {
            found.extend(places(&entry.path()));
        }
    }
    found
}

/// Whether a path in a cache is one under which something is kept: a bucket's, but not where unfinished things, locks and
/// logs lie, or where git works.
#[must_use]
pub fn is_kept(cache: &Path, path: &Path) -> bool {
    let inside = path.strip_prefix(cache).unwrap_or(Path::new(""));
    let mut parts = inside.components();
    let bucket = match parts.next() {
        Some(Component::Normal(name)) => name.to_str().unwrap_or_default(),
        _ => "",
    };
    // Every bucket is versioned by name; scratches and what is set aside to be removed are none.
    let passing = ["staging-v1", "locks-v1", "logs-v1", "git-v1"];
    bucket.contains("-v") && !passing.contains(&bucket)
}

/// Whether a path in an output folder is that of something delivered.
#[must_use]
pub fn is_delivered(out: &Path, path: &Path) -> bool {
    let is_hidden = |name: &OsStr| name.to_string_lossy().starts_with(".fumehood-");
    path.starts_with(out) && !path.file_name().is_some_and(is_hidden)
}
