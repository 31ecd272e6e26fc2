//! The JSON document that `--output-format json` promises, read strictly where it is promised.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The whole document.
#[derive(Debug, Deserialize)]
pub struct Report {
    /// Always `fumehood/1`.
    pub schema: String,
    /// The sdists that were made.
    #[serde(default)]
    pub sdists: Vec<Sdist>,
    /// What was made.
    pub wheels: Vec<Wheel>,
    /// What was not.
    pub failures: Vec<Failure>,
}

/// One sdist.
#[derive(Clone, Debug, Deserialize)]
pub struct Sdist {
    /// The file's name.
    pub filename: String,
    /// Where it was put.
    pub path: String,
    /// Its digest.
    pub sha256: String,
    /// How it was made.
    pub isolation: Option<Isolation>,
    /// What was refused to its backend.
    pub denials: Vec<Denial>,
    /// Remarks for people.
    pub notes: Vec<String>,
}

/// One wheel.
#[derive(Clone, Debug, Deserialize)]
pub struct Wheel {
    /// The project.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The file's name.
    pub filename: String,
    /// Where it was put.
    pub path: String,
    /// Its digest.
    pub sha256: String,
    /// Its bytes.
    pub size: u64,
    /// `built`, `cached` or `downloaded`.
    pub origin: String,
    /// What it was made of.
    pub source: Option<Source>,
    /// How it was built; nothing for a download.
    pub isolation: Option<Isolation>,
    /// What was refused to the build.
    pub denials: Vec<Denial>,
    /// Remarks for people.
    pub notes: Vec<String>,
    /// How long it took.
    pub seconds: f64,
    /// The build record.
    pub record: Option<String>,
}

/// What a wheel was made of.
#[derive(Clone, Debug, Deserialize)]
pub struct Source {
    /// `index`, `url`, `archive`, `directory` or `git`.
    pub kind: String,
    /// The digest of the archive.
    pub sha256: String,
}

/// How a wheel was built.
#[derive(Clone, Debug, Deserialize)]
pub struct Isolation {
    /// The level.
    pub level: String,
    /// The kernel's Landlock ABI.
    pub landlock_abi: u32,
    /// The vector of guarantees.
    pub guarantees: BTreeMap<String, String>,
}

/// One kind of refused act.
#[derive(Clone, Debug, Deserialize)]
pub struct Denial {
    /// The call.
    pub what: String,
    /// What it aimed at.
    pub target: String,
    /// How often.
    pub count: u64,
}

/// One thing that was asked for and could not be had.
#[derive(Clone, Debug, Deserialize)]
pub struct Failure {
    /// As it was asked for; nothing when the run ended before it came to that.
    pub spec: Option<String>,
    /// The stable code.
    pub code: String,
    /// What happened.
    pub message: String,
    /// How to fix it.
    pub hint: Option<String>,
    /// How to see the log.
    pub log: Option<String>,
}
