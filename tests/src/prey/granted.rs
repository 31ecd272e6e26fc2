//! A folder that a build is granted to read, and nothing more.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};

use rustix::fs::{IFlags, ioctl_getflags};
use serde_json::{Value, json};

use crate::decoy::State;
use crate::{Outcome, Prey, Setting, World};

/// Files that may be read: the harm is that one is no longer what it was, flags included.
#[derive(Debug)]
pub struct Granted {
    folder: PathBuf,
    before: BTreeMap<&'static str, (PathBuf, Option<State>)>,
}

/// Ways that change what is known about a file and not the file.
const MARKS: [&str; 3] = ["mode", "times", "flag"];

impl Granted {
    /// Lays it out.
    #[must_use]
    pub fn lay(world: &World<'_>, ground: &Path) -> Self {
        let folder = world.folder(ground.join("granted"));
        let files = ["written", "appended", "linked", "removed"];
        let files = files.into_iter().chain(MARKS);
        let mut before = BTreeMap::new();
        for way in files {
            let path = world.file(folder.join(way), "as it was\n");
            before.insert(way, (path.clone(), State::of(&path)));
        }
        before.insert("planted", (folder.join("planted.pth"), None));
        Self { folder, before }
    }
}

/// Whether a file asks not to be dumped.
fn is_flagged(path: &Path) -> bool {
    let flags = File::open(path)
        .ok()
        .and_then(|file| ioctl_getflags(file).ok());
    flags.is_some_and(|flags| flags.contains(IFlags::NODUMP))
}

impl Prey for Granted {
    fn targets(&self) -> Value {
        let paths = self.before.iter();
        let paths: BTreeMap<_, _> = paths.map(|(way, (path, _))| (*way, path)).collect();
        json!(paths)
    }

    fn arguments(&self) -> Vec<OsString> {
        vec!["--allow-read".into(), self.folder.clone().into()]
    }

    fn possible(&self) -> BTreeSet<String> {
        self.before.keys().map(|way| (*way).to_owned()).collect()
    }

    fn unheld(&self, setting: Setting) -> BTreeSet<String> {
        match setting.holds_metadata() {
            true => BTreeSet::new(),
            false => ["mode", "times"].map(str::to_owned).into(),
        }
    }

    fn harm(&mut self, _: &Outcome<'_, '_>) -> BTreeSet<String> {
        let changed = self.before.iter().filter(|(way, (path, before))| {
            State::of(path) != *before || (**way == "flag" && is_flagged(path))
        });
        changed.map(|(way, _)| (*way).to_owned()).collect()
    }
}
