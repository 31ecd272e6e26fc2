//! Other processes of the same user, daemons, and namespaces that give capabilities.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::told;
use crate::decoy::secret;
use crate::processes::{self, Process};
use crate::{Companion, Held, Lacking, Outcome, Prey, Setting, World};

/// A process of the same user that keeps secrets wherever another might look.
#[derive(Debug)]
pub struct Keeper {
    victim: Companion,
    secrets: BTreeMap<&'static str, String>,
    places: Value,
    traced: bool,
}

impl Keeper {
    /// Lays it out.
    pub fn lay(world: &World<'_>, ground: &Path) -> Self {
        let ways = [
            "environment",
            "arguments",
            "memory by call",
            "memory by file",
            "descriptor by call",
            "descriptor by file",
        ];
        let secrets = BTreeMap::from(ways.map(|way| (way, secret())));
        let mut told = json!(secrets);
        told["folder"] = json!(world.folder(ground));
        let mut victim = Companion::start(world, "victim.py", &[&secrets["arguments"]], &told);
        let places = victim.hear();
        Self {
            victim,
            secrets,
            places,
            traced: false,
        }
    }
}

impl Prey for Keeper {
    const HOLDS: bool = true;

    fn targets(&self) -> Value {
        self.places.clone()
    }

    fn possible(&self) -> BTreeSet<String> {
        self.secrets
            .keys()
            .copied()
            .chain(["traced"])
            .map(str::to_owned)
            .collect()
    }

    fn look(&mut self, _: &Held) {
        let tracer = processes::status(self.victim.pid(), "TracerPid");
        self.traced = tracer.is_none_or(|pid| pid != "0");
    }

    fn harm(&mut self, done: &Outcome<'_, '_>) -> BTreeSet<String> {
        let mut harm = told(done, &self.secrets);
        harm.extend(self.traced.then(|| "traced".to_owned()));
        harm
    }
}

/// Processes of the same user, one for each way to signal: the harm is that one ends or stops.
#[derive(Debug)]
pub struct Victims {
    by_way: BTreeMap<&'static str, (Companion, Process)>,
}

impl Victims {
    /// Lays it out.
    pub fn lay(world: &World<'_>, ground: &Path) -> Self {
        let start = |way: &'static str| {
            let victim = idle(world, ground);
            let process = processes::of(victim.pid()).expect("the victim runs");
            (way, (victim, process))
        };
        Self {
            by_way: BTreeMap::from(
                ["kill", "descriptor", "queue", "owner", "stop", "group"].map(start),
            ),
        }
    }
}

/// Starts a process that waits.
pub(super) fn idle(world: &World<'_>, ground: &Path) -> Companion {
    let mut told = json!({"folder": world.folder(ground)});
    for way in [
        "memory by call",
        "memory by file",
        "descriptor by call",
        "descriptor by file",
    ] {
        told[way] = json!("nothing");
    }
    let mut victim = Companion::start(world, "victim.py", &[], &told);
    victim.hear();
    victim
}

impl Prey for Victims {
    fn targets(&self) -> Value {
        let pids: BTreeMap<_, _> = self
            .by_way
            .iter()
            .map(|(way, (victim, _))| (*way, victim.pid()))
            .collect();
        json!(pids)
    }

    fn possible(&self) -> BTreeSet<String> {
        self.by_way.keys().map(|way| (*way).to_owned()).collect()
    }

    fn unheld(&self, setting: Setting) -> BTreeSet<String> {
        match setting.lacking {
            Lacking::Scopes => self.possible(),
            _ => BTreeSet::new(),
        }
    }

    fn harm(&mut self, _: &Outcome<'_, '_>) -> BTreeSet<String> {
        let hit = self.by_way.iter().filter(|(_, (_, process))| {
            processes::ends_within(process, Duration::from_millis(200))
                || processes::status(process.pid, "State")
                    .is_none_or(|state| state.starts_with('T'))
        });
        hit.map(|(way, _)| (*way).to_owned()).collect()
    }
}

/// One process whose limits and scheduling are watched.
#[derive(Debug)]
pub struct Tuned {
    victim: Companion,
    before: BTreeMap<&'static str, String>,
}

impl Tuned {
    /// Lays it out.
    pub fn lay(world: &World<'_>, ground: &Path) -> Self {
        let victim = idle(world, ground);
        let before = tuning(victim.pid());
        Self { victim, before }
    }
}

/// Returns everything that the deed tries to change.
fn tuning(pid: i32) -> BTreeMap<&'static str, String> {
    let process = processes::of(pid).expect("the victim runs");
    let limits =
        std::fs::read_to_string(format!("/proc/{pid}/limits")).expect("limits are readable");
    let mut tuning = BTreeMap::from([
        ("limit", limits),
        ("nice", process.nice.to_string()),
        ("scheduler", process.scheduler.to_string()),
    ]);
    // With one processor only there is nothing to take away.
    let processors = processes::status(pid, "Cpus_allowed_list").expect("the victim runs");
    if processors.contains([',', '-']) {
        tuning.insert("processors", processors);
    }
    tuning
}

impl Prey for Tuned {
    fn targets(&self) -> Value {
        json!({"pid": self.victim.pid()})
    }

    fn possible(&self) -> BTreeSet<String> {
        self.before.keys().map(|what| (*what).to_owned()).collect()
    }

    fn harm(&mut self, _: &Outcome<'_, '_>) -> BTreeSet<String> {
        let after = tuning(self.victim.pid());
        let changed = self
            .before
            .iter()
            .filter(|(what, before)| after.get(*what) != Some(*before));
        changed.map(|(what, _)| (*what).to_owned()).collect()
    }
}

/// Daemons: the harm is that they outlive the program.
#[derive(Debug)]
pub struct Daemons;

impl Prey for Daemons {
    fn targets(&self) -> Value {
        json!({"number": 5})
    }

    fn possible(&self) -> BTreeSet<String> {
        (0..5).map(|number| format!("daemon {number}")).collect()
    }

    fn harm(&mut self, done: &Outcome<'_, '_>) -> BTreeSet<String> {
        (0..done.left.len())
            .map(|number| format!("daemon {number}"))
            .collect()
    }
}

/// The end of the program in the middle of a build: the harm is that something of the build lives on.
#[derive(Debug)]
pub struct Outliving;

impl Prey for Outliving {
    const HOLDS: bool = true;
    const ENDS: bool = true;

    fn targets(&self) -> Value {
        json!({})
    }

    fn possible(&self) -> BTreeSet<String> {
        ["a process".to_owned()].into()
    }

    fn look(&mut self, held: &Held) {
        let program = nix::unistd::Pid::from_raw(held.program);
        nix::sys::signal::kill(program, nix::sys::signal::Signal::SIGKILL)
            .expect("the program still runs");
    }

    fn harm(&mut self, done: &Outcome<'_, '_>) -> BTreeSet<String> {
        let left = (!done.left.is_empty()).then(|| "a process".to_owned());
        left.into_iter().collect()
    }
}

/// The terminal in which the program runs: the harm is that something was typed into it.
#[derive(Debug)]
pub struct Typed {
    file: PathBuf,
    text: String,
    works: bool,
}

impl Typed {
    /// Lays it out.
    #[must_use]
    pub fn lay(world: &World<'_>, ground: &Path) -> Self {
        Self {
            file: world.file(ground.join("typed"), ""),
            text: secret(),
            works: world.has("typing into terminals"),
        }
    }
}

impl Prey for Typed {
    fn targets(&self) -> Value {
        json!({"typed": self.text})
    }

    fn terminal(&self) -> Option<&Path> {
        Some(&self.file)
    }

    fn possible(&self) -> BTreeSet<String> {
        self.works.then(|| "typed".to_owned()).into_iter().collect()
    }

    fn harm(&mut self, _: &Outcome<'_, '_>) -> BTreeSet<String> {
        let typed = std::fs::read_to_string(&self.file).unwrap_or_default();
        let typed = (!typed.is_empty()).then(|| "typed".to_owned());
        typed.into_iter().collect()
    }
}

/// User namespaces and capabilities of the deed's own processes.
#[derive(Debug, Default)]
pub struct Namespaces {
    found: BTreeSet<String>,
}

impl Prey for Namespaces {
    const HOLDS: bool = true;

    fn targets(&self) -> Value {
        json!({})
    }

    fn possible(&self) -> BTreeSet<String> {
        [
            "1 more user namespaces",
            "2 more user namespaces",
            "3 more user namespaces",
            "capabilities",
        ]
        .map(str::to_owned)
        .into()
    }

    fn look(&mut self, held: &Held) {
        let spaces: BTreeSet<_> = held
            .processes
            .iter()
            .filter_map(|process| processes::namespace(process.pid, "user"))
            .collect();
        self.found
            .extend((1..spaces.len()).map(|number| format!("{number} more user namespaces")));
        let capable = |process: &Process| {
            let sets =
                ["CapEff", "CapPrm", "CapAmb"].map(|set| processes::status(process.pid, set));
            sets.into_iter()
                .flatten()
                .any(|set| set.contains(|digit| digit != '0'))
        };
        if held.processes.iter().any(capable) {
            self.found.insert("capabilities".into());
        }
    }

    fn harm(&mut self, _: &Outcome<'_, '_>) -> BTreeSet<String> {
        self.found.clone()
    }
}
