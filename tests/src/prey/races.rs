//! Names that change their meaning while a call is under way.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::decoy::State;
use crate::{Ear, Outcome, Prey, World};

/// A file, a folder with a file in it, and a socket.
#[derive(Debug)]
pub struct Lured {
    targets: Value,
    files: BTreeMap<&'static str, (PathBuf, Option<State>)>,
    ear: Ear,
}

impl Lured {
    /// Lays it out.
    pub fn lay(world: &World<'_>, ground: &Path) -> Self {
        let file = world.file(ground.join("file"), "as it was\n");
        let inner = world.file(ground.join("folder/inner"), "as it was\n");
        let socket = ground.join("socket");
        let ear = Ear::stream(&socket);
        world.give(&socket);
        let files = [("file", file.clone()), ("inner", inner.clone())];
        Self {
            targets: json!({"file": file, "folder": inner.parent(), "socket": socket}),
            files: files
                .map(|(name, path)| (name, (path.clone(), State::of(&path))))
                .into(),
            ear,
        }
    }
}

impl Prey for Lured {
    fn targets(&self) -> Value {
        self.targets.clone()
    }

    fn possible(&self) -> BTreeSet<String> {
        ["file", "inner", "socket"].map(str::to_owned).into()
    }

    fn harm(&mut self, _: &Outcome<'_, '_>) -> BTreeSet<String> {
        let changed = self
            .files
            .iter()
            .filter(|(_, (path, before))| State::of(path) != *before);
        let heard = self.ear.heard().then_some("socket");
        changed
            .map(|(name, _)| *name)
            .chain(heard)
            .map(str::to_owned)
            .collect()
    }
}
