//! The JSON document that machines read: `fumehood/1`, described in `docs/schema/report.schema.json`.
//!
//! A document is the whole answer of one run. What is in it is decided here, not in the types of
//! other rooms, so that none of them can change the contract by accident.

mod described;
mod fetched;
mod looked;
mod planned;
#[cfg(test)]
mod tests;

use std::path::Path;

use builder::{Origin, Refusal, Sdist, Wheel};
use model::SourceId;
use protocol::{Denial, Enforcement, Guarantee, Level};
use serde::Serialize;
use serde_json::Value;

use crate::render::Problem;

pub(crate) use described::DescribedEntry;
pub(crate) use fetched::FetchDocument;
pub(crate) use looked::{BuildEntry, Kind, LookedAt, RefusalEntry, Verified};
pub(crate) use planned::PlanDocument;

/// A document whose projects are what a run is about, besides failures.
pub(crate) trait Answer {
    /// Returns the document in JSON.
    fn json(&self) -> String;
    /// Returns one line a project.
    fn lines(&self) -> String;
    /// Returns the last line of talk.
    fn last_line(&self) -> String;
}

/// The name of this form.
pub(crate) const SCHEMA: &str = "fumehood/1";

/// The answer of one run.
#[derive(Debug, Serialize)]
pub(crate) struct Document {
    schema: &'static str,
    /// The sdists that were made, by `build` alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) sdists: Vec<SdistEntry>,
    /// What was made or found, in the order asked.
    pub(crate) wheels: Vec<WheelEntry>,
    /// What was not, in the order asked.
    pub(crate) failures: Vec<FailureEntry>,
    /// What was installed; only where something was to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) installed: Option<Vec<InstalledEntry>>,
}

/// One package that was installed.
#[derive(Debug, Serialize)]
pub(crate) struct InstalledEntry {
    /// The normalised name of the project.
    pub(crate) name: String,
    /// The version.
    pub(crate) version: String,
    /// The versions that were replaced.
    pub(crate) replaced: Vec<String>,
    /// What is worth knowing.
    pub(crate) notes: Vec<String>,
}

impl InstalledEntry {
    /// Makes the entry of one change.
    pub(crate) fn new(change: &environment::Change) -> Self {
        Self {
            name: change.name.to_string(),
            version: change.version.to_string(),
            replaced: change.replaced.clone(),
            notes: change.notes.clone(),
        }
    }
}

/// One sdist.
#[derive(Debug, Serialize)]
pub(crate) struct SdistEntry {
    /// The normalised name of the project.
    name: String,
    /// The version.
    version: String,
    /// The file's name.
    filename: String,
    /// Where it was put.
    pub(crate) path: String,
    /// The SHA-256 of the file.
    sha256: String,
    /// Bytes.
    size: u64,
    /// What it was made of.
    source: SourceEntry,
    /// The isolation that it was made in.
    isolation: Option<Value>,
    /// The level in `isolation`, for the last line of talk.
    #[serde(skip)]
    pub(crate) level: Level,
    /// What its backend was refused.
    pub(crate) denials: Vec<DenialEntry>,
    /// Oddities.
    notes: Vec<String>,
    /// Seconds that this took.
    seconds: f64,
}

/// One wheel.
#[derive(Debug, Serialize)]
pub(crate) struct WheelEntry {
    /// The normalised name of the project.
    pub(crate) name: String,
    /// The version.
    pub(crate) version: String,
    /// The file's name.
    pub(crate) filename: String,
    /// Where it was put.
    pub(crate) path: String,
    /// The SHA-256 of the file.
    pub(crate) sha256: String,
    /// Bytes.
    pub(crate) size: u64,
    /// How it came to be.
    pub(crate) origin: Origin,
    /// What it was built from, or the wheel itself where it was named by its place; null for one of an index.
    pub(crate) source: Option<SourceEntry>,
    /// The isolation of its build; null for a downloaded wheel.
    pub(crate) isolation: Option<Value>,
    /// The level in `isolation`, for the last line of talk.
    #[serde(skip)]
    pub(crate) level: Option<Level>,
    /// The guarantees in `isolation` that are absent, for the same line.
    #[serde(skip)]
    pub(crate) absent: Vec<Guarantee>,
    /// What its build was refused.
    pub(crate) denials: Vec<DenialEntry>,
    /// Oddities.
    pub(crate) notes: Vec<String>,
    /// Seconds that this took.
    pub(crate) seconds: f64,
    /// The build record.
    pub(crate) record: Option<String>,
}

/// A source.
#[derive(Debug, Serialize)]
pub(crate) struct SourceEntry {
    /// `index`, `url`, `archive`, `directory`, `git`
    pub(crate) kind: model::SourceKind,
    /// The SHA-256 of its bytes.
    pub(crate) sha256: String,
}

/// What was refused to one build, as `log --denials` answers.
#[derive(Debug, Serialize)]
pub(crate) struct DenialsDocument {
    schema: &'static str,
    /// The build's id.
    build: String,
    /// Acts that the filter refused.
    denials: Vec<DenialEntry>,
    /// Files and programs that it was refused, where it was traced.
    refused: Vec<RefusedEntry>,
}

impl DenialsDocument {
    /// Makes the document of one build.
    pub(crate) fn new(build: &str, denials: &[Denial], refusals: &[Refusal]) -> Self {
        Self {
            schema: SCHEMA,
            build: build.to_owned(),
            denials: entries(denials),
            refused: refusals.iter().map(RefusedEntry::new).collect(),
        }
    }
}

/// One kind of refused act.
#[derive(Debug, Serialize)]
pub(crate) struct DenialEntry {
    /// The call.
    pub(crate) what: String,
    /// What it aimed at.
    pub(crate) target: String,
    /// How often.
    pub(crate) count: u64,
}

/// One failure.
#[derive(Debug, Serialize)]
pub(crate) struct FailureEntry {
    /// What was asked for; null if the run ended before it came to that.
    pub(crate) spec: Option<String>,
    /// The stable code.
    pub(crate) code: &'static str,
    /// What happened.
    pub(crate) message: String,
    /// Labelled lines, such as `in`, `tried`, `why`.
    pub(crate) details: Vec<DetailEntry>,
    /// How to fix it.
    pub(crate) hint: Option<String>,
    /// The id of the build whose log says more.
    pub(crate) log: Option<String>,
    /// What was refused to the build before it failed.
    pub(crate) denials: Vec<DenialEntry>,
    /// Files and programs that it was refused, where it was traced.
    pub(crate) refused: Vec<RefusedEntry>,
}

/// One file or program that a build was refused.
#[derive(Debug, Serialize)]
pub(crate) struct RefusedEntry {
    /// `read`, `write`, `execute`
    pub(crate) touch: &'static str,
    /// The path, links resolved.
    pub(crate) path: String,
    /// How often.
    pub(crate) count: u64,
    /// Whether the build named it when it failed.
    pub(crate) decisive: bool,
    /// The flag that would allow it; null where none is offered.
    pub(crate) fix: Option<String>,
}

/// One labelled line of a failure.
#[derive(Debug, Serialize)]
pub(crate) struct DetailEntry {
    /// The label.
    pub(crate) label: &'static str,
    /// The line.
    pub(crate) text: String,
}

impl Default for Document {
    fn default() -> Self {
        Self::new(Vec::new(), Vec::new())
    }
}

impl Document {
    /// Makes a document of what was done.
    pub(crate) fn new(wheels: Vec<WheelEntry>, failures: Vec<FailureEntry>) -> Self {
        Self {
            schema: SCHEMA,
            sdists: Vec::new(),
            wheels,
            failures,
            installed: None,
        }
    }

    /// Makes the document of a run that ended before it came to any request.
    pub(crate) fn of_problem(problem: &Problem) -> Self {
        Self::new(Vec::new(), vec![FailureEntry::new(None, problem)])
    }

    /// Returns the document as text, with a line break at its end.
    pub(crate) fn text(&self) -> String {
        text(self)
    }
}

impl SourceEntry {
    /// Makes the entry of a source.
    pub(crate) fn new(source: &SourceId) -> Self {
        Self {
            kind: source.kind,
            sha256: source.digest.sha256.to_string(),
        }
    }
}

impl SdistEntry {
    /// Makes the entry of an sdist that was put to `path`.
    pub(crate) fn new(sdist: &Sdist, path: &Path) -> Self {
        Self {
            name: sdist.name.to_string(),
            version: sdist.version.to_string(),
            filename: sdist.filename.clone(),
            path: path.display().to_string(),
            sha256: sdist.digest.sha256.to_string(),
            size: sdist.digest.size,
            source: SourceEntry::new(&sdist.source),
            isolation: serde_json::to_value(&sdist.isolation).ok(),
            level: sdist.isolation.level,
            denials: entries(&sdist.denials),
            notes: sdist.notes.clone(),
            seconds: sdist.seconds,
        }
    }
}

impl WheelEntry {
    /// Makes the entry of a wheel that was put to `path`.
    pub(crate) fn new(wheel: &Wheel, path: &Path) -> Self {
        Self {
            name: wheel.name.to_string(),
            version: wheel.version.to_string(),
            filename: wheel.filename.clone(),
            path: path.display().to_string(),
            sha256: wheel.sha256.to_string(),
            size: wheel.size,
            origin: wheel.origin,
            source: wheel.source.as_ref().map(SourceEntry::new),
            isolation: wheel
                .isolation
                .as_ref()
                .and_then(|isolation| serde_json::to_value(isolation).ok()),
            level: wheel.isolation.as_ref().map(|isolation| isolation.level),
            absent: wheel.isolation.as_ref().map(absent).unwrap_or_default(),
            denials: entries(&wheel.denials),
            notes: wheel.notes.clone(),
            seconds: wheel.seconds,
            record: wheel.record.as_ref().map(|path| path.display().to_string()),
        }
    }
}

impl FailureEntry {
    /// Makes the entry of one failure.
    pub(crate) fn new(spec: Option<String>, problem: &Problem) -> Self {
        Self {
            spec,
            code: problem.code.text(),
            message: problem.message.clone(),
            details: problem
                .details
                .iter()
                .map(|(label, text)| DetailEntry {
                    label,
                    text: text.clone(),
                })
                .collect(),
            hint: problem.hint.clone(),
            log: problem.log.clone(),
            denials: Vec::new(),
            refused: Vec::new(),
        }
    }

    /// Adds what was refused to the build before it failed.
    pub(crate) fn refused(mut self, denials: &[Denial], refusals: &[Refusal]) -> Self {
        self.denials = entries(denials);
        self.refused = refusals.iter().map(RefusedEntry::new).collect();
        self
    }
}

impl RefusedEntry {
    /// Makes the entry of one refusal.
    pub(crate) fn new(refusal: &Refusal) -> Self {
        Self {
            touch: refusal.touch.word(),
            path: refusal.path.clone(),
            count: refusal.count,
            decisive: refusal.decisive,
            fix: refusal.fix.flag(),
        }
    }
}

/// What nothing stood in the way of.
fn absent(isolation: &builder::record::Isolation) -> Vec<Guarantee> {
    let guarantees = isolation.guarantees.iter();
    guarantees
        .filter(|(_, enforcement)| **enforcement == Enforcement::Absent)
        .map(|(guarantee, _)| *guarantee)
        .collect()
}

fn entries(denials: &[Denial]) -> Vec<DenialEntry> {
    denials
        .iter()
        .map(|denial| DenialEntry {
            what: denial.what.clone(),
            target: denial.target.clone(),
            count: denial.count,
        })
        .collect()
}

/// Returns any answer as JSON with a line break at its end.
pub(crate) fn text(answer: &impl Serialize) -> String {
    // Serialising can not fail: there is no map with keys that are not text, and no Serialize of
    // ours returns an error.
    let mut text = serde_json::to_string_pretty(answer).unwrap_or_default();
    text.push('\n');
    text
}
