//! One round: an upgrade is ended at a system call, and whatever that left is the old version or the new one.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{Order, Seen, Target};
use crate::command::Run;
use crate::outcome::Outcome;
use crate::publication::{PUBLISHING, Publications};
use crate::venv::Venv;
use crate::wheel::Wheel;
use crate::world::World;

/// What an interrupted upgrade turned out to be, once the next run had been there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Became {
    /// The old version.
    Old,
    /// The new one.
    New,
    /// The run went another way and never made the call; it ended well.
    Missed,
}

/// An environment in which an upgrade is ended again and again.
#[derive(Debug)]
pub struct Upgrade<'world, 'site> {
    world: &'world World<'site>,
    venv: Venv<'world, 'site>,
    old: BTreeMap<String, Vec<u8>>,
    new: BTreeMap<String, Vec<u8>>,
    wheels: [String; 3],
    repairs_ended: Cell<usize>,
}

/// A package of several parts that know their version.
fn thing(version: &str) -> Wheel {
    let text = format!("version = {version:?}\ndef main(): print(version)\n");
    let wheel = Wheel::new("thing", version)
        .file("thing.py", "")
        .file("thing/__init__.py", &text)
        .file("thing/part.py", &text)
        .file("thing/deep/__init__.py", &text)
        .file("beside.py", &text)
        .file("common/of_thing.py", &text)
        .file(&format!("thing/only_{}.py", version.replace('.', "_")), "")
        .file(
            &format!("thing-{version}.data/data/share/thing.txt"),
            version,
        )
        .file(
            &format!("thing-{version}.dist-info/entry_points.txt"),
            "[console_scripts]\nthing = thing:main\n",
        );
    wheel.without("thing.py")
}

/// What Python sees of the package: how often it is installed, and the versions of its parts.
const LOOK: &str = "
import importlib.metadata, json, subprocess, sys
infos = [one.version for one in importlib.metadata.distributions() if one.metadata['Name'] == 'thing']
import thing, thing.part, thing.deep, beside, common.of_thing
parts = [one.version for one in (thing, thing.part, thing.deep, beside, common.of_thing)]
print(json.dumps([infos, parts]))
";

impl<'world, 'site> Upgrade<'world, 'site> {
    /// Makes the environment, with the old version in it.
    ///
    /// # Panics
    /// When something can not be installed undisturbed.
    #[must_use]
    pub fn new(world: &'world World<'site>) -> Self {
        let venv = Venv::new(world, "env");
        let other = |version: &str| {
            venv.wheel(&Wheel::new("other", version).file("common/of_other.py", ""))
        };
        let wheels = [
            venv.wheel(&thing("1.0")),
            venv.wheel(&thing("2.0")),
            other("2.0"),
        ];
        let first = other("1.0");
        venv.install(["--no-deps", &wheels[1], &first])
            .finish_anyhow()
            .succeeds();
        let new = without_other(venv.everything());
        venv.install(["--no-deps", &wheels[0]])
            .finish_anyhow()
            .succeeds();
        let old = without_other(venv.everything());
        Self {
            world,
            venv,
            old,
            new,
            wheels,
            repairs_ended: Cell::default(),
        }
    }

    /// Returns the calls of an undisturbed upgrade that change something in the environment, as targets.
    ///
    /// # Panics
    /// When the upgrade fails.
    #[must_use]
    pub fn moments(&self) -> Vec<Target> {
        let order = self.order(None);
        self.upgrade(&order).succeeds();
        self.reset();
        let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
        let mut moments = Vec::new();
        for call in seen(&order) {
            let number = counts
                .entry((call.call.clone(), call.shape.clone()))
                .or_default();
            *number += 1;
            for leaving in [false, true] {
                moments.push(Target {
                    call: call.call.clone(),
                    shape: call.shape.clone(),
                    number: *number,
                    leaving,
                });
            }
        }
        moments
    }

    /// Returns how often a repair was ended as well.
    #[must_use]
    pub fn repairs_ended(&self) -> usize {
        self.repairs_ended.get()
    }

    /// Ends an upgrade at a moment, sees what is left, and lets another run come by.
    ///
    /// # Panics
    /// When a promise is broken.
    #[must_use]
    pub fn interrupt(&self, target: &Target) -> Became {
        let order = self.order(Some(target.clone()));
        let done = self.upgrade(&order);
        if !seen(&order).iter().any(|call| call.killed) {
            done.succeeds();
            self.reset();
            return Became::Missed;
        }
        assert_eq!(done.signal, Some(9), "{done}");
        self.is_usable(target);
        if target.leaving {
            self.interrupt_repair(target);
        }
        let next = self.repair(target.number.is_multiple_of(2));
        let [infos, parts] = self.look(target);
        assert_eq!(infos.len(), 1, "{target:?}: {infos:?}");
        assert!(
            parts.iter().all(|part| *part == infos[0]),
            "{target:?}: {parts:?}"
        );
        let now = without_other(self.venv.everything());
        let became = match (now == self.old, now == self.new) {
            (true, _) => Became::Old,
            (_, true) => Became::New,
            _ => {
                let wanted = if infos[0] == "1.0" {
                    &self.old
                } else {
                    &self.new
                };
                let paths = now.keys().chain(wanted.keys());
                let differ: Vec<_> = paths
                    .filter(|path| now.get(*path) != wanted.get(*path))
                    .collect();
                panic!("{target:?}: neither the old version nor the new one: {differ:?} {next}");
            }
        };
        self.reset();
        became
    }

    /// Ends the repair as well, where it comes by the call at which the upgrade ended.
    fn interrupt_repair(&self, target: &Target) {
        let again = Target {
            number: 1,
            ..target.clone()
        };
        let order = self.order(Some(again));
        let done = self.installed_already().watched(&order).finish_anyhow();
        if seen(&order).iter().any(|call| call.killed) {
            assert_eq!(done.signal, Some(9), "{done}");
            self.repairs_ended.set(self.repairs_ended.get() + 1);
            self.is_usable(target);
        } else {
            done.succeeds();
        }
    }

    /// Lets the next run come by: one that installs something else, or finds that there is nothing to do. If there is
    /// a journal, all that it did has to be durable before that goes.
    fn repair(&self, is_idle: bool) -> Outcome<'world, 'site> {
        let other = &self.wheels[2];
        let run = match is_idle {
            true => self.installed_already(),
            false => self.venv.install(["--no-deps", "--reinstall", other]),
        };
        let work = self.venv.root.join(".fumehood");
        let journal = work.join("journal.json");
        if !journal.exists() || !self.world.has_program("strace") {
            let done = run.finish_anyhow();
            done.succeeds();
            return done;
        }
        let log = self.world.folder("kills").join("repair");
        let done = run.traced(&log, PUBLISHING).finish_anyhow();
        done.succeeds();
        let trace = Publications::read(&log);
        trace.are_durable_before_removing(
            |path| path.starts_with(&self.venv.root) && !path.starts_with(&work),
            &journal,
        );
        done
    }

    /// A run that finds what it wants installed, whichever version it is.
    fn installed_already(&self) -> Run<'world, 'site> {
        self.venv.install(["--no-deps", "thing"])
    }

    /// Right after the end, before anything is repaired: installed, of one version or the other, and importable. No
    /// part is older than what is said to be installed.
    fn is_usable(&self, target: &Target) {
        let [infos, parts] = self.look(target);
        assert_eq!(infos.len(), 1, "{target:?}: {infos:?}");
        let possible = match infos[0].as_str() {
            "1.0" => &["1.0", "2.0"][..],
            _ => &["2.0"],
        };
        for version in infos.iter().chain(&parts) {
            let is_possible = possible.contains(&version.as_str());
            assert!(is_possible, "{target:?}: {version} of {infos:?}");
        }
        let said = self.venv.program("thing", &[]);
        assert!(
            ["1.0", "2.0"].contains(&said.as_str()),
            "{target:?}: {said}"
        );
    }

    fn look(&self, target: &Target) -> [Vec<String>; 2] {
        let text = self.venv.python(LOOK);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{target:?}: {error}: {text}"))
    }

    fn reset(&self) {
        let run = self
            .venv
            .install(["--no-deps", "--reinstall", &self.wheels[0]]);
        run.finish_anyhow().succeeds();
        assert_eq!(without_other(self.venv.everything()), self.old);
    }

    fn upgrade(&self, order: &Order) -> Outcome<'world, 'site> {
        let run = self.venv.install(["--no-deps", &self.wheels[1]]);
        run.watched(order).finish_anyhow()
    }

    fn order(&self, target: Option<Target>) -> Order {
        let log = self.world.folder("kills").join("log");
        Order {
            log,
            places: vec![(self.venv.root.clone(), "env".to_owned())],
            uid: None,
            target,
        }
    }
}

fn seen(order: &Order) -> Vec<Seen> {
    let text = std::fs::read_to_string(PathBuf::from(&order.log)).unwrap_or_default();
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("the killer writes JSON"))
        .collect()
}

fn without_other(mut all: BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    all.retain(|path, _| !path.contains("other"));
    all
}
