//! Limits of single processes, as the kernel tells them of a build.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Value, json};

use crate::{Held, Outcome, Prey};

/// Limits that a build has like everybody else: the harm is that one is not lower.
#[derive(Debug)]
pub struct Bounds {
    own: BTreeMap<&'static str, u64>,
    found: BTreeSet<String>,
}

/// What is bounded, and the most that a build is left, in the kernel's units.
const WANTED: [(&str, u64); 9] = [
    ("Max file size", u64::MAX - 1),
    ("Max cpu time", u64::MAX - 1),
    ("Max processes", 10_000),
    ("Max data size", u64::MAX - 1),
    ("Max open files", 16_384),
    ("Max core file size", 1),
    ("Max locked memory", 64 * 1024),
    ("Max msgqueue size", 0),
    ("Max pending signals", 4096),
];

impl Default for Bounds {
    /// Takes those in which this process has more than a build is left.
    fn default() -> Self {
        let limits = limits("self");
        let more = WANTED
            .into_iter()
            .filter_map(|(name, most)| Some((name, *limits.get(name)?, most)))
            .filter(|(_, own, most)| own > most);
        Self {
            own: more.map(|(name, own, _)| (name, own)).collect(),
            found: BTreeSet::new(),
        }
    }
}

impl Prey for Bounds {
    const HOLDS: bool = true;

    fn targets(&self) -> Value {
        json!({})
    }

    fn possible(&self) -> BTreeSet<String> {
        self.own.keys().map(|name| (*name).to_owned()).collect()
    }

    fn look(&mut self, held: &Held) {
        for process in &held.processes {
            let limits = limits(&process.pid.to_string());
            let open = self
                .own
                .keys()
                .filter(|name| limits.get(*name).is_some_and(|limit| *limit > most(name)));
            self.found.extend(open.map(|name| (*name).to_owned()));
        }
    }

    fn harm(&mut self, _: &Outcome<'_, '_>) -> BTreeSet<String> {
        self.found.clone()
    }
}

fn most(name: &str) -> u64 {
    let wanted = WANTED.into_iter().find(|(wanted, _)| *wanted == name);
    wanted.map_or(0, |(_, most)| most)
}

/// Returns the soft limits of a process, proc(5).
fn limits(pid: &str) -> BTreeMap<&'static str, u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap_or_default();
    let limit = |name: &'static str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        let word = line.split_whitespace().next()?;
        Some((name, word.parse().unwrap_or(u64::MAX)))
    };
    WANTED
        .into_iter()
        .filter_map(|(name, _)| limit(name))
        .collect()
}
