//! Ways between a build and somebody else: a name on which it listens, a connection on which others speak.

use std::collections::BTreeSet;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};

use serde_json::{Value, json};

use crate::decoy::secret;
use crate::{Ear, Held, Lacking, Namespaces, Outcome, Prey, Setting};

/// An abstract name: the harm is that somebody outside, here the test, can call the build by it.
#[derive(Debug)]
pub struct Caller {
    name: String,
    came: bool,
}

impl Default for Caller {
    fn default() -> Self {
        Self {
            name: secret(),
            came: false,
        }
    }
}

impl Prey for Caller {
    const HOLDS: bool = true;

    fn targets(&self) -> Value {
        json!({"name": self.name})
    }

    fn possible(&self) -> BTreeSet<String> {
        ["called".to_owned()].into()
    }

    /// `unix-net` is `partial` where builds share the network's names; without scopes they have no such socket.
    fn unheld(&self, setting: Setting) -> BTreeSet<String> {
        match (setting.namespaces, setting.lacking) {
            (Namespaces::Allowed, _) | (_, Lacking::Scopes) => BTreeSet::new(),
            _ => self.possible(),
        }
    }

    fn look(&mut self, _: &Held) {
        let address = SocketAddr::from_abstract_name(&self.name).expect("a short name");
        self.came = UnixStream::connect_addr(&address).is_ok();
    }

    fn harm(&mut self, _: &Outcome<'_, '_>) -> BTreeSet<String> {
        let came = self.came.then(|| "called".to_owned());
        came.into_iter().collect()
    }
}

/// A connection that whoever starts the program holds, as a supervisor holds one to its worker: the harm is that
/// something of the build arrives there. What the build does to the program's own channels shows by its wheel.
#[derive(Debug)]
pub struct Channel {
    ear: Ear,
    word: String,
}

impl Default for Channel {
    fn default() -> Self {
        Self {
            ear: Ear::tcp(),
            word: secret(),
        }
    }
}

impl Prey for Channel {
    fn targets(&self) -> Value {
        json!({"word": self.word})
    }

    fn held_open(&self) -> Option<String> {
        Some(format!("exec 5<>/dev/tcp/127.0.0.1/{}", self.ear.port()))
    }

    fn possible(&self) -> BTreeSet<String> {
        ["a message".to_owned()].into()
    }

    fn harm(&mut self, _: &Outcome<'_, '_>) -> BTreeSet<String> {
        let arrived = self.ear.heard_bytes().then(|| "a message".to_owned());
        arrived.into_iter().collect()
    }
}
