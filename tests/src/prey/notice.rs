//! What whoever started a build should hear of.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::decoy::secret;
use crate::report::{Denial, Report};
use crate::{Ear, Lacking, Outcome, Prey, Setting, World};

/// Acts that are refused or bait: the harm is that one is tried, and nobody is told.
///
/// Where there is no report at all, an act counts as tried if it succeeded.
#[derive(Debug)]
pub struct Untold {
    path: PathBuf,
    called: Ear,
    reached: Ear,
    credential: String,
}

impl Untold {
    /// Lays it out.
    pub fn lay(world: &World<'_>, ground: &Path) -> Self {
        let path = ground.join("agent.sock");
        let called = Ear::stream(&path);
        world.give(&path);
        let credential = secret();
        world.file("home/.netrc", &credential);
        Self {
            path,
            called,
            reached: Ear::tcp(),
            credential,
        }
    }

    /// The acts that a report does not tell.
    fn untold(&self, denials: &[Denial]) -> BTreeSet<String> {
        let path = self.path.display().to_string();
        let tells = |what: &str, target: &str| {
            let told = |one: &Denial| one.what == what && one.target.contains(target);
            denials.iter().any(|one| told(one) && one.count > 0)
        };
        let told = [
            // Where builds have no local sockets, that one was asked for is what is told.
            (
                "a connect",
                tells("connect", &path) || tells("socket", "unix stream"),
            ),
            ("a socket", tells("socket", "inet stream")),
            ("a decoy", tells("decoy-read", "~/.netrc")),
        ];
        named(told.map(|(way, told)| (way, !told)))
    }
}

fn named(ways: [(&str, bool); 3]) -> BTreeSet<String> {
    let done = ways.into_iter().filter(|(_, done)| *done);
    done.map(|(way, _)| way.to_owned()).collect()
}

impl Prey for Untold {
    fn targets(&self) -> Value {
        json!({"path": self.path, "port": self.reached.port()})
    }

    fn possible(&self) -> BTreeSet<String> {
        named([("a connect", true), ("a socket", true), ("a decoy", true)])
    }

    fn unheld(&self, setting: Setting) -> BTreeSet<String> {
        let deaf = matches!(setting.lacking, Lacking::Listener | Lacking::FreeListener);
        named([("a connect", deaf), ("a socket", deaf), ("a decoy", false)])
    }

    fn harm(&mut self, done: &Outcome<'_, '_>) -> BTreeSet<String> {
        let told = serde_json::from_str::<Report>(&done.stdout).ok();
        let wheel = told.and_then(|report| report.wheels.into_iter().next());
        match wheel {
            Some(wheel) => self.untold(&wheel.denials),
            None => named([
                ("a connect", self.called.heard()),
                ("a socket", self.reached.heard()),
                ("a decoy", done.tells(&self.credential).is_some()),
            ]),
        }
    }
}
