//! What is run, from which cache, in turns.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

use super::generated::{Needs, forerunners, tiny};
use super::inputs::Batch;
use super::measured::Measured;
use super::who::{Peers, Who};
use crate::index::Index;
use crate::report::Report;
use crate::sdist::Sdist;

/// One kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub enum Scenario {
    /// The pure batch: no source is in the cache, what builds require is, environments included.
    Pure,
    /// The same, but environments are made anew.
    Environments,
    /// One small sdist of the pure batch.
    Single,
    /// Extensions in C and Cython.
    Native,
    /// The pure batch, every wheel in the cache.
    Cached,
    /// The same, told that there is no network.
    Offline,
    /// The pure batch at `confined`, and with the isolation left out.
    Tax,
    /// Many tiny projects.
    Many(usize),
}

/// What came of a scenario.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Result {
    /// Which one.
    pub scenario: Scenario,
    /// How many wheels were made in each run.
    pub wheels: usize,
    /// The runs, round after round.
    pub runs: BTreeMap<Who, Vec<Measured>>,
    /// The lowest level that a wheel of ours reported, for each way of running it, and its guarantees.
    pub levels: BTreeMap<Who, String>,
}

impl Scenario {
    /// Every scenario.
    pub const ALL: [Self; 10] = [
        Self::Pure,
        Self::Environments,
        Self::Single,
        Self::Native,
        Self::Cached,
        Self::Offline,
        Self::Tax,
        Self::Many(10),
        Self::Many(100),
        Self::Many(300),
    ];

    /// Returns the word for it on the command line and in tables.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Pure => "pure".to_owned(),
            Self::Environments => "environments".to_owned(),
            Self::Single => "single".to_owned(),
            Self::Native => "native".to_owned(),
            Self::Cached => "cached".to_owned(),
            Self::Offline => "offline".to_owned(),
            Self::Tax => "tax".to_owned(),
            Self::Many(number) => format!("many-{number}"),
        }
    }

    /// Returns what it is, for a table.
    #[must_use]
    pub fn title(self) -> String {
        match self {
            Self::Pure => "pure batch, sources cold, environments warm".to_owned(),
            Self::Environments => "pure batch, sources cold, environments cold".to_owned(),
            Self::Single => "single small sdist".to_owned(),
            Self::Native => "native batch, sources cold".to_owned(),
            Self::Cached => "pure batch, all cached".to_owned(),
            Self::Offline => "pure batch, all cached, no network".to_owned(),
            Self::Tax => "sandbox tax: pure batch".to_owned(),
            Self::Many(number) => format!("{number} tiny sdists"),
        }
    }

    fn who(self) -> &'static [Who] {
        match self {
            Self::Pure | Self::Single => &[Who::Ours, Who::Uv, Who::Pip],
            Self::Tax => &[Who::Confined, Who::Open],
            _ => &[Who::Ours, Who::Uv],
        }
    }

    /// Whether the wheels are in the cache already.
    fn is_cached(self) -> bool {
        matches!(self, Self::Cached | Self::Offline)
    }

    fn list(self) -> Option<&'static str> {
        match self {
            Self::Native => Some("native12.txt"),
            Self::Many(_) => None,
            _ => Some("pure24.txt"),
        }
    }
}

/// Runs scenarios.
#[derive(Debug)]
pub struct Bench {
    /// The programs.
    pub peers: Peers,
    /// Where everything is kept.
    pub folder: PathBuf,
    /// Who takes no part.
    pub without: Vec<Who>,
}

impl Bench {
    /// Runs one scenario, `rounds` times for each program, in turns.
    ///
    /// # Panics
    /// When a run fails, makes other wheels than were asked for, or is below `confined` though it should not be.
    #[must_use]
    pub fn run(&self, scenario: Scenario, rounds: usize) -> Result {
        let (index, [specs, before]) = self.work(scenario);
        let url = index.url();
        let mut result = Result {
            scenario,
            wheels: specs.len(),
            runs: BTreeMap::new(),
            levels: BTreeMap::new(),
        };
        let who = scenario.who().iter().copied();
        let who: Vec<_> = who.filter(|who| !self.without.contains(who)).collect();
        let templates: BTreeMap<_, _> = who
            .iter()
            .map(|who| (*who, self.template(scenario, *who, &url, &before)))
            .collect();
        // Nothing is removed between runs: file systems look for new inodes long where many were freed lately.
        let runs = self.folder.join("runs");
        drop(fs::remove_dir_all(&runs));
        for round in 0..rounds {
            for &who in &who {
                let place = runs.join(format!("{round}-{who:?}"));
                fs::create_dir_all(&place).expect("a folder can be made");
                let cache = place.join("cache");
                copy(&templates[&who], &cache);
                let out = place.join("out");
                let mut command = self.peers.command(who, &url, [&cache, &out], &specs);
                if scenario == Scenario::Offline {
                    command.arg("--offline");
                }
                let measured = Measured::run(&command, &place);
                if who.is_ours() {
                    result.levels.insert(who, level(who, &place, specs.len()));
                }
                result.runs.entry(who).or_default().push(measured);
            }
        }
        fs::remove_dir_all(&runs).expect("what runs left can be removed");
        result
    }

    /// The index of a scenario, what is asked for, and what is built beforehand.
    fn work(&self, scenario: Scenario) -> (Index, [Vec<String>; 2]) {
        let inputs = self.folder.join("inputs");
        let list = scenario.list().unwrap_or("pure24.txt");
        let batch = Batch::fetch(list, &inputs, &self.peers.python);
        let index = batch.index();
        let offer = |sdist: Sdist| {
            index.sdist(&sdist);
            format!("{}=={}", sdist.name(), sdist.version())
        };
        let (specs, needs) = match scenario {
            Scenario::Many(number) => {
                let needs = Needs {
                    requires: vec!["setuptools".to_owned()],
                    asked: Vec::new(),
                };
                let specs = (0..number).map(|number| offer(tiny(number))).collect();
                (specs, BTreeSet::from([needs]))
            }
            Scenario::Single => (batch.pins[..1].to_vec(), batch.needs(1)),
            _ => (batch.pins.clone(), batch.needs(batch.pins.len())),
        };
        let before = match scenario.is_cached() {
            true => specs.clone(),
            false => forerunners(&needs).into_iter().map(offer).collect(),
        };
        (index, [specs, before])
    }

    /// Makes the cache that each run of `who` starts from.
    fn template(&self, scenario: Scenario, who: Who, url: &str, before: &[String]) -> PathBuf {
        let place = self.folder.join(format!("{}-{who:?}", scenario.name()));
        drop(fs::remove_dir_all(&place));
        fs::create_dir_all(&place).expect("a folder can be made");
        let (cache, out) = (place.join("cache"), place.join("out"));
        let command = self.peers.command(who, url, [&cache, &out], before);
        let _ = Measured::run(&command, &place);
        if scenario == Scenario::Environments && who.is_ours() {
            let mut command = Command::new(&self.peers.ours);
            command.args(["cache", "clean", "--environments", "--cache-dir"]);
            let done = command.arg(&cache).output().expect("it starts");
            assert!(done.status.success(), "environments are kept");
        }
        cache
    }
}

/// Copies a cache; where the file system can, without copying bytes. The copy is on the disk: what is measured next does
/// not wait for it.
pub(super) fn copy(from: &Path, to: &Path) {
    let run = |command: &mut Command| {
        let status = command.status().expect("coreutils are there");
        assert!(status.success(), "a cache could not be copied");
    };
    let mut cp = Command::new("cp");
    run(cp.args(["-a", "--reflink=auto", "--"]).args([from, to]));
    run(Command::new("sync").arg("-f").arg(to));
}

/// Reads the report of a run of ours: every wheel is there, and the lowest level.
fn level(who: Who, place: &Path, wheels: usize) -> String {
    let text = fs::read(place.join("stdout")).expect("it was printed");
    let report: Report = serde_json::from_slice(&text).expect("the report is JSON");
    assert_eq!(report.wheels.len(), wheels, "every wheel is made");
    let isolations = report
        .wheels
        .iter()
        .filter_map(|wheel| wheel.isolation.as_ref());
    let rank = |level: &str| {
        ["ns", "confined", "reduced", "ns-only", "none"]
            .iter()
            .position(|known| *known == level)
    };
    let worst = isolations
        .max_by_key(|isolation| rank(&isolation.level))
        .expect("a wheel that was built says how");
    assert!(
        who == Who::Open || rank(&worst.level) <= rank("confined"),
        "no figures are taken below `confined`"
    );
    let mut enforced = Vec::new();
    for (guarantee, state) in &worst.guarantees {
        if state == "enforced" {
            enforced.push(guarantee.as_str());
        }
    }
    format!("{} (enforced: {})", worst.level, enforced.join(", "))
}
