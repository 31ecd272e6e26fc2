//! What a build may be started with, and folders that it may watch.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::told;
use crate::decoy::{State, secret};
use crate::{Ear, Held, Outcome, Prey, World};

/// Descriptors of whoever starts the program: a file, a folder, a file to write, a connection.
#[derive(Debug)]
pub struct Inherited {
    read: String,
    listed: String,
    paths: [PathBuf; 3],
    before: Option<State>,
    ear: Ear,
}

impl Inherited {
    /// Lays it out.
    pub fn lay(world: &World<'_>, ground: &Path) -> Self {
        let (read, listed) = (secret(), secret());
        let file = world.file(ground.join("read"), &read);
        world.file(ground.join("folder").join(&listed), "");
        let written = world.file(ground.join("written"), "as it was\n");
        Self {
            read,
            listed,
            before: State::of(&written),
            paths: [file, ground.join("folder"), written],
            ear: Ear::tcp(),
        }
    }
}

impl Prey for Inherited {
    fn targets(&self) -> Value {
        json!({})
    }

    fn held_open(&self) -> Option<String> {
        let [read, folder, written] = self.paths.each_ref().map(|path| path.display());
        let port = self.ear.port();
        Some(format!(
            "exec 5</dev/tcp/127.0.0.1/{port} 6<{read} 7<{folder} 8<>{written}"
        ))
    }

    fn possible(&self) -> BTreeSet<String> {
        ["read", "listed", "written", "sent"]
            .map(str::to_owned)
            .into()
    }

    fn harm(&mut self, done: &Outcome<'_, '_>) -> BTreeSet<String> {
        let mut harm = told(done, [("read", &self.read), ("listed", &self.listed)]);
        let written = (State::of(&self.paths[2]) != self.before).then_some("written");
        let sent = self.ear.heard_bytes().then_some("sent");
        harm.extend(written.into_iter().chain(sent).map(str::to_owned));
        harm
    }
}

/// A folder in which something of a secret name is made while the deed looks.
#[derive(Debug)]
pub struct Watched {
    folder: PathBuf,
    name: String,
}

impl Watched {
    /// Lays it out.
    pub fn lay(world: &World<'_>, ground: &Path) -> Self {
        Self {
            folder: world.folder(ground.join("watched")),
            name: secret(),
        }
    }
}

impl Prey for Watched {
    const HOLDS: bool = true;

    fn targets(&self) -> Value {
        json!({"watched": self.folder})
    }

    fn possible(&self) -> BTreeSet<String> {
        ["names".to_owned()].into()
    }

    fn look(&mut self, _: &Held) {
        std::fs::write(self.folder.join(&self.name), "").expect("an own folder");
    }

    fn harm(&mut self, done: &Outcome<'_, '_>) -> BTreeSet<String> {
        told(done, [("names", &self.name)])
    }
}
