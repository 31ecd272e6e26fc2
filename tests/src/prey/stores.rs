//! The kernel's own stores: keyrings and System V shared memory of the user.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::told;
use crate::decoy::secret;
use crate::{Companion, Outcome, Prey, World};

/// Secrets in the kernel, laid by a companion that also tells what was left or changed.
#[derive(Debug)]
pub struct Stores {
    keeper: Companion,
    secrets: BTreeMap<&'static str, String>,
    targets: Value,
}

impl Stores {
    /// Lays it out.
    pub fn lay(world: &World<'_>) -> Self {
        let mut secrets = BTreeMap::from([("memory", secret())]);
        if world.has("keyring") {
            secrets.extend([("key", secret()), ("search", secret())]);
        }
        if world.has("message queues") {
            secrets.insert("message", secret());
        }
        let number = u32::from_str_radix(&secret()[5..12], 16)
            .expect("a secret ends with hexadecimal digits");
        let names = json!({
            "name": secret(),
            "searched key": secret(),
            "left key": secret(),
            "left memory": number,
            "queue": secret(),
            "left queue": secret(),
        });
        let mut told = json!(secrets);
        told.as_object_mut()
            .expect("an object")
            .extend(names.as_object().expect("an object").clone());
        let mut keeper = Companion::start(world, "kernel_objects.py", &[], &told);
        let mut targets = keeper.hear();
        for name in [
            "searched key",
            "left key",
            "left memory",
            "queue",
            "left queue",
        ] {
            targets[name] = names[name].clone();
        }
        Self {
            keeper,
            secrets,
            targets,
        }
    }
}

impl Prey for Stores {
    fn targets(&self) -> Value {
        self.targets.clone()
    }

    fn possible(&self) -> BTreeSet<String> {
        let queues = self.secrets.contains_key("message");
        let keys = self.secrets.contains_key("key");
        let told = self.secrets.keys().copied();
        told.chain(["changed memory", "left memory"])
            .chain(keys.then_some("left key"))
            .chain(queues.then_some("left queue"))
            .map(str::to_owned)
            .collect()
    }

    fn harm(&mut self, done: &Outcome<'_, '_>) -> BTreeSet<String> {
        let mut harm = told(done, &self.secrets);
        self.keeper.tell("");
        let answer = self.keeper.hear();
        let answer = answer.as_object().expect("an object");
        harm.extend(
            answer
                .iter()
                .filter(|(_, done)| **done == json!(true))
                .map(|(way, _)| way.clone()),
        );
        harm
    }
}

// Queues count against a limit of the user: one that a killed companion left behind would be one less for later tests.
impl Drop for Stores {
    fn drop(&mut self) {
        self.keeper.dismiss();
    }
}
