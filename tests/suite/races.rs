//! Names that change their meaning while a call is under way: whoever acts for the build must not be led astray.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tests::decoy::State;
use tests::{Ear, Outcome, Prey, Setting, World, hostile_in};

use crate::site;

/// A file, a folder with a file in it, and a socket.
struct Lured {
    targets: Value,
    files: BTreeMap<&'static str, (PathBuf, Option<State>)>,
    ear: Ear,
}

impl Lured {
    fn lay(world: &World<'_>, ground: &Path) -> Self {
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

#[test]
fn a_build_that_exchanges_names_under_the_broker_gets_nothing_changed_and_nobody_answers() {
    // Elsewhere no broker acts for a build.
    let settings = Setting::all(site());
    hostile_in(site(), &settings, "swaps_paths", Lured::lay);
}
