//! What became of a build, beside its log: for builds that failed the only trace besides it.

use jiff::Timestamp;
use model::{PackageName, SourceId, Version};
use protocol::Denial;
use serde::{Deserialize, Serialize};

use crate::hook::Goal;
use crate::refusal::Refusal;

/// The schema that this program writes.
pub(crate) const SCHEMA: &str = "fumehood-build/1";

/// `logs-v1/<id>/build.json`
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BuildSummary {
    /// [`SCHEMA`]
    pub schema: String,
    /// The build's id.
    pub build: String,
    /// What was built, for people.
    pub label: String,
    /// What the run was for; none in summaries of earlier programs.
    #[serde(default)]
    pub goal: Option<Goal>,
    /// When it ended.
    pub ended_at: Timestamp,
    /// The wheel's file name, if there is one.
    pub wheel: Option<String>,
    /// The code of the error that ended it.
    pub code: Option<String>,
    /// The error's sentence.
    pub message: Option<String>,
    /// What was refused to the build.
    pub denials: Vec<Denial>,
    /// Files and programs that it was refused, the decisive ones first, if it was traced.
    #[serde(default)]
    pub refusals: Vec<Refusal>,
    /// The project, where it was known.
    #[serde(default)]
    pub name: Option<PackageName>,
    /// Its version, where it was known.
    #[serde(default)]
    pub version: Option<Version>,
    /// What it was built from.
    #[serde(default)]
    pub source: Option<SourceId>,
    /// Where that came from, without credentials.
    #[serde(default)]
    pub source_label: Option<String>,
}

impl BuildSummary {
    /// Begins a summary of a build that ended now.
    pub(crate) fn new(build: &str, goal: Goal, label: &str, denials: Vec<Denial>) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            build: build.to_owned(),
            label: label.to_owned(),
            goal: Some(goal),
            ended_at: Timestamp::now(),
            wheel: None,
            code: None,
            message: None,
            denials,
            refusals: Vec::new(),
            name: None,
            version: None,
            source: None,
            source_label: None,
        }
    }
}
