//! A run of the bench, kept in a file as it goes, so that one table can tell of several.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::full::{Full, full_table};
use super::measured::Measured;
use super::scenario::Result;
use super::table::{by_run, table};

/// What was measured at one time.
#[derive(Debug, Deserialize, Serialize)]
pub struct Run {
    /// The machine, and how busy it was.
    pub machine: String,
    /// The peers.
    pub versions: Vec<String>,
    /// What came of each scenario.
    pub results: Vec<Result>,
    /// Of caches of many entries.
    pub full: Option<Full>,
}

impl Run {
    /// Reads a run.
    ///
    /// # Panics
    /// When it can not be read, or is none.
    #[must_use]
    pub fn read(path: &Path) -> Self {
        let text = fs::read(path).expect("a run can be read");
        serde_json::from_slice(&text).expect("it is one that was saved")
    }

    /// Writes the run.
    ///
    /// # Panics
    /// When that fails.
    pub fn save(&self, path: &Path) {
        let text = serde_json::to_vec_pretty(self).expect("figures are JSON");
        fs::write(path, text).expect("a run can be written");
    }

    /// Adds what came of a scenario, in the place of what came of it before.
    pub fn add(&mut self, result: Result) {
        self.results.retain(|old| old.scenario != result.scenario);
        self.results.push(result);
    }
}

/// Returns the tables of several runs, and what they tell together.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn told(runs: &[Run]) -> (String, Vec<Result>) {
    let last = runs.last().expect("a run");
    let together = together(runs);
    let (mut text, machine) = (String::new(), &last.machine);
    let versions = last.versions.join(", ");
    let _ = match runs.len() {
        1 => writeln!(text, "{machine}; {versions}; medians of one run.\n"),
        many => writeln!(text, "{machine}; {versions}; medians of {many} runs.\n"),
    };
    let _ = writeln!(text, "{}", table(&together.iter().collect::<Vec<_>>()));
    if runs.len() > 1 {
        let _ = writeln!(text, "{}", by_run(runs, &together));
    }
    let fulls: Vec<_> = runs.iter().filter_map(|run| run.full.as_ref()).collect();
    if !fulls.is_empty() {
        text.push_str(&full_table(&fulls));
    }
    (text, together)
}

/// One result a scenario, with the rounds of all runs, in the order of the table.
fn together(runs: &[Run]) -> Vec<Result> {
    let mut together: Vec<Result> = Vec::new();
    for result in runs.iter().flat_map(|run| &run.results) {
        match together
            .iter_mut()
            .find(|one| one.scenario == result.scenario)
        {
            Some(one) => {
                for (who, rounds) in &result.runs {
                    let all: &mut Vec<Measured> = one.runs.entry(*who).or_default();
                    all.extend(rounds);
                }
                one.levels.extend(result.levels.clone());
            }
            None => together.push(result.clone()),
        }
    }
    together.sort_by_key(|result| result.scenario);
    together
}
