//! Programs of the user that a build is not given.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};

use super::told;
use crate::decoy::secret;
use crate::{Outcome, Prey, World};

/// Programs, each with a word of its own to say: the harm is that one of them ran.
#[derive(Debug)]
pub struct Programs {
    words: BTreeMap<&'static str, String>,
    targets: Value,
}

impl Programs {
    /// Lays it out.
    ///
    /// # Panics
    /// When a mode can not be set.
    pub fn lay(world: &World<'_>, ground: &Path) -> Self {
        let mut targets = json!({});
        let words = ["ran", "ran through a descriptor", "ran by a shell"].map(|way| {
            let word = secret();
            let name = way.replace(' ', "-");
            // The word itself stands nowhere: it is put together when the program runs.
            let (half, rest) = word.split_at(8);
            let text = format!("#!/bin/sh\nprintf '%s%s' {half} {rest}\n");
            let program = world.file(ground.join(name), text);
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755))
                .expect("an own file's mode can be set");
            targets[way] = json!(program);
            (way, word)
        });
        Self {
            words: words.into(),
            targets,
        }
    }
}

impl Prey for Programs {
    fn targets(&self) -> Value {
        self.targets.clone()
    }

    fn possible(&self) -> BTreeSet<String> {
        self.words.keys().map(|way| (*way).to_owned()).collect()
    }

    fn harm(&mut self, done: &Outcome<'_, '_>) -> BTreeSet<String> {
        told(done, &self.words)
    }
}
