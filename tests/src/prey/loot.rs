//! What leaves a build by the ways that it has: its wheel and its log.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::Path;

use base64::Engine as _;
use serde_json::{Value, json};

use super::told;
use crate::decoy::secret;
use crate::{Outcome, Prey, World};

/// Hides a text.
type Form = fn(&str) -> String;

/// Secrets outside, and the form in which each would be hidden in a wheel.
#[derive(Debug)]
pub struct Hidden {
    forms: BTreeMap<&'static str, String>,
    targets: Value,
}

impl Hidden {
    /// Lays it out.
    pub fn lay(world: &World<'_>, ground: &Path) -> Self {
        let forms: [(&str, Form); 4] = [
            ("turned around", |text| text.chars().rev().collect()),
            ("in base64", |text| {
                base64::engine::general_purpose::STANDARD.encode(text)
            }),
            ("in digits", |text| hex::encode(text)),
            ("in another alphabet", turned),
        ];
        let mut targets = json!({});
        let forms = forms.map(|(way, form)| {
            let secret = secret();
            targets[way] = json!(world.file(ground.join(way), &secret));
            (way, form(&secret))
        });
        Self {
            forms: forms.into(),
            targets,
        }
    }
}

/// Moves each letter by half of the alphabet.
fn turned(text: &str) -> String {
    let turn = |letter: char| match letter {
        'a'..='m' => char::from(letter as u8 + 13),
        'n'..='z' => char::from(letter as u8 - 13),
        other => other,
    };
    text.chars().map(turn).collect()
}

impl Prey for Hidden {
    fn targets(&self) -> Value {
        self.targets.clone()
    }

    fn possible(&self) -> BTreeSet<String> {
        self.forms.keys().map(|way| (*way).to_owned()).collect()
    }

    fn harm(&mut self, done: &Outcome<'_, '_>) -> BTreeSet<String> {
        told(done, &self.forms)
    }
}

/// Variables that a build was given on purpose: the harm is that the value of one stands in what is printed.
#[derive(Debug)]
pub struct Declared {
    value: String,
}

impl Default for Declared {
    fn default() -> Self {
        Self { value: secret() }
    }
}

impl Prey for Declared {
    fn targets(&self) -> Value {
        json!({"names": ["DECLARED_TOKEN"]})
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        vec![("DECLARED_TOKEN", self.value.clone())]
    }

    fn arguments(&self) -> Vec<OsString> {
        ["-v", "--allow-env", "DECLARED_TOKEN"]
            .map(OsString::from)
            .into()
    }

    fn possible(&self) -> BTreeSet<String> {
        ["a declared value".to_owned()].into()
    }

    fn harm(&mut self, done: &Outcome<'_, '_>) -> BTreeSet<String> {
        told(done, [("a declared value", &self.value)])
    }
}
