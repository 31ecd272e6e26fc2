//! What a build takes hold of, and what it leaves behind.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use serde_json::{Value, json};

use crate::decoy::secret;
use crate::{Held, Outcome, Prey, Setting, World};

/// A file that the build was given to read: the harm is that somebody else can not lock it.
#[derive(Debug)]
pub struct Locked {
    path: PathBuf,
    is_held: bool,
}

impl Locked {
    /// Lays it out.
    pub fn lay(world: &World<'_>, ground: &Path) -> Self {
        Self {
            path: world.file(ground.join("granted/shared"), "as it was\n"),
            is_held: false,
        }
    }
}

impl Prey for Locked {
    const HOLDS: bool = true;

    fn targets(&self) -> Value {
        json!({"path": self.path})
    }

    fn arguments(&self) -> Vec<OsString> {
        let folder = self.path.parent().expect("a file lies in a folder");
        vec!["--allow-read".into(), folder.into()]
    }

    fn possible(&self) -> BTreeSet<String> {
        ["a lock".to_owned()].into()
    }

    /// Nothing keeps whoever may read a file from locking it.
    fn unheld(&self, _: Setting) -> BTreeSet<String> {
        self.possible()
    }

    fn look(&mut self, _: &Held) {
        let file = File::open(&self.path).expect("an own file");
        self.is_held = flock(&file, FlockOperation::NonBlockingLockExclusive).is_err();
    }

    fn harm(&mut self, _: &Outcome<'_, '_>) -> BTreeSet<String> {
        let held = self.is_held.then(|| "a lock".to_owned());
        held.into_iter().collect()
    }
}

/// A tree deeper than a path can be: the harm is that it is left, and does not go by plain means.
#[derive(Debug)]
pub struct DeepTree {
    root: PathBuf,
    name: String,
}

/// How often a folder of 200 letters lies in another: twice the longest path.
const DEPTH: usize = 40;
/// How far below the folder of a world the tree may begin.
const BEGINS: usize = 10;

impl DeepTree {
    /// Lays it out.
    #[must_use]
    pub fn lay(world: &World<'_>) -> Self {
        Self {
            root: world.folder(""),
            name: format!("{:x<200}", secret()),
        }
    }
}

/// Finds a folder of a name.
fn find(folder: &Path, name: &str, depth: usize) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?.flatten();
    let mut folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.find_map(|entry| match entry.file_name() == name {
        true => Some(entry.path()),
        false if depth > 0 => find(&entry.path(), name, depth - 1),
        false => None,
    })
}

/// Removes a tree as who knows of paths alone.
fn remove_by_path(folder: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        remove_by_path(&entry?.path())?;
    }
    fs::remove_dir(folder)
}

impl Prey for DeepTree {
    fn targets(&self) -> Value {
        json!({"name": self.name, "depth": DEPTH})
    }

    fn possible(&self) -> BTreeSet<String> {
        ["a tree".to_owned()].into()
    }

    fn harm(&mut self, _: &Outcome<'_, '_>) -> BTreeSet<String> {
        let left = find(&self.root, &self.name, BEGINS);
        let stays = left.is_some_and(|tree| remove_by_path(&tree).is_err());
        let stays = stays.then(|| "a tree".to_owned());
        stays.into_iter().collect()
    }
}
