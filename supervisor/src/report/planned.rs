//! What `--dry-run` answers: each project once, with what its wheel would be.

use builder::{Because, Planned, WouldBe};
use serde::Serialize;

use super::{Answer, FailureEntry, SCHEMA};
use crate::neutralise;

/// The answer of a dry run.
#[derive(Debug, Serialize)]
pub(crate) struct PlanDocument {
    schema: &'static str,
    /// What was asked for first, then what that needs, by name.
    planned: Vec<PlannedEntry>,
    failures: Vec<FailureEntry>,
}

/// What the wheel of a project would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum WouldBeEntry {
    /// A wheel of an index, or one that was named by its place; no code runs.
    Wheel,
    /// A wheel that was built earlier; no code runs.
    Cached,
    /// Code of the source runs in a worker.
    Source,
    /// It is installed and stays.
    Installed,
    /// Nothing: it failed already.
    Failed,
}

/// One project.
#[derive(Debug, Serialize)]
struct PlannedEntry {
    name: String,
    version: String,
    /// Extras that are wanted of it.
    extras: Vec<String>,
    would_be: WouldBeEntry,
    /// The file; null where there is none yet.
    filename: Option<String>,
    /// The policy that its code would run under; null where none runs.
    policy: Option<String>,
    /// Whether it was asked for.
    asked: bool,
    /// Which requirements led to it.
    because: Vec<BecauseEntry>,
}

/// A requirement that led to a project.
#[derive(Debug, Serialize)]
struct BecauseEntry {
    /// `NAME VERSION` of what requires it; null for what was asked for.
    by: Option<String>,
    /// The requirement, or for what was asked for a sentence.
    words: String,
}

impl PlanDocument {
    /// Makes the document of a plan whose builds would run under `policy`.
    pub(crate) fn new(planned: &[Planned], policy: &str, failures: Vec<FailureEntry>) -> Self {
        Self {
            schema: SCHEMA,
            planned: planned.iter().map(|one| entry(one, policy)).collect(),
            failures,
        }
    }
}

impl Answer for PlanDocument {
    fn json(&self) -> String {
        super::text(self)
    }

    fn lines(&self) -> String {
        let line = |one: &PlannedEntry| {
            let extras = match one.extras.as_slice() {
                [] => String::new(),
                extras => format!("[{}]", extras.join(",")),
            };
            let what = match (one.would_be, &one.policy) {
                (WouldBeEntry::Wheel, _) => "wheel".to_owned(),
                (WouldBeEntry::Cached, _) => "cached".to_owned(),
                (WouldBeEntry::Source, policy) => {
                    let policy = policy.as_deref().unwrap_or_default();
                    format!("will run code under policy {policy}")
                }
                (WouldBeEntry::Installed, _) => "already there".to_owned(),
                (WouldBeEntry::Failed, _) => "failed".to_owned(),
            };
            format!("{}{extras}=={}  {what}\n", one.name, one.version)
        };
        self.planned.iter().map(line).collect()
    }

    fn last_line(&self) -> String {
        let count = |what| {
            let all = self.planned.iter();
            all.filter(|one| one.would_be == what).count()
        };
        let mut parts = Vec::new();
        if !self.failures.is_empty() {
            parts.push(format!("{} failed", self.failures.len()));
        }
        parts.push(format!("{} to build", count(WouldBeEntry::Source)));
        parts.push(format!("{} cached", count(WouldBeEntry::Cached)));
        parts.push(format!("{} to download", count(WouldBeEntry::Wheel)));
        match count(WouldBeEntry::Installed) {
            0 => {}
            there => parts.push(format!("{there} already there")),
        }
        format!("--dry-run: {}; nothing was made", parts.join(", "))
    }
}

fn entry(planned: &Planned, policy: &str) -> PlannedEntry {
    let (would_be, filename) = match planned.would_be() {
        WouldBe::Wheel { filename } => (WouldBeEntry::Wheel, Some(filename)),
        WouldBe::Kept { filename } => (WouldBeEntry::Cached, Some(filename)),
        WouldBe::Source { .. } => (WouldBeEntry::Source, None),
        WouldBe::Installed => (WouldBeEntry::Installed, None),
        WouldBe::Broken(_) => (WouldBeEntry::Failed, None),
    };
    let because = |one: &Because| BecauseEntry {
        by: one
            .by
            .as_ref()
            .map(|(name, version)| format!("{name} {version}")),
        words: model::lenient::without_credentials(&neutralise::line(&one.words)),
    };
    PlannedEntry {
        name: planned.name.to_string(),
        version: planned.version.to_string(),
        extras: planned.extras.iter().map(ToString::to_string).collect(),
        would_be,
        filename,
        policy: (would_be == WouldBeEntry::Source).then(|| policy.to_owned()),
        asked: planned.asked.is_some(),
        because: planned.because.iter().map(because).collect(),
    }
}
