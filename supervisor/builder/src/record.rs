//! The build record: everything a wheel was made from and under, as JSON beside the wheel.

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::{ConfigSettings, Digest, PackageName, Sha256, SourceId, Version};
use protocol::{Denial, Enforcement, Guarantee, IsolationReport, Level};
use serde::{Deserialize, Serialize};

/// The schema that this program writes; a reader ignores fields that it does not know.
pub const SCHEMA: &str = "fumehood-record/1";

/// One build.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BuildRecord {
    /// [`SCHEMA`]
    pub schema: String,
    /// The build's id, which names its log.
    pub build: String,
    /// When it ended.
    pub built_at: Timestamp,
    /// The project, as the wheel's metadata says.
    pub name: PackageName,
    /// The version, as the wheel's metadata says.
    pub version: Version,
    /// The wheel's file name.
    pub filename: String,
    /// The wheel's bytes.
    pub wheel: Digest,
    /// What it was built from.
    pub source: SourceId,
    /// Where the source came from, without credentials.
    pub source_label: String,
    /// The key that the wheel is kept under.
    pub key: Sha256,
    /// The interpreter and the platform.
    pub python: String,
    /// The backend.
    pub backend: String,
    /// What `pyproject.toml` and the hooks required, as written.
    pub requires: Vec<String>,
    /// What the hooks asked for beyond that.
    pub requires_by_hook: Vec<String>,
    /// What the environment resolved to.
    pub environment: Environment,
    /// Settings for every hook.
    pub config_settings: ConfigSettings,
    /// The policy.
    pub policy: Policy,
    /// What the kernel enforced.
    pub isolation: Isolation,
    /// Whose interpreter it was built with.
    #[serde(default)]
    pub reuse: Reuse,
    /// What was refused.
    pub denials: Vec<Denial>,
    /// The hooks, with their times in milliseconds.
    pub hooks: Vec<(String, u64)>,
    /// What the build used.
    pub usage: Usage,
    /// Oddities that were accepted.
    pub notes: Vec<String>,
}

/// What a build has of the interpreter that it was branched off from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reuse {
    /// It was started for this build.
    #[default]
    Own,
    /// It had served others before, out of the same environment and under the same policy.
    Warm,
}

/// The build environment of a record.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Environment {
    /// Its name: the digest of what was put into it.
    pub name: Sha256,
    /// Its packages and versions.
    pub packages: BTreeMap<String, String>,
    /// The wheels that it was made from: file name and digest.
    #[serde(default)]
    pub wheels: BTreeMap<String, Sha256>,
}

/// The policy of a record.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// The digest of what it means.
    pub digest: Sha256,
}

/// What a build used.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Processor time in user mode, milliseconds.
    pub user_ms: u64,
    /// Processor time in kernel mode, milliseconds.
    pub system_ms: u64,
    /// Largest resident set of one process, KiB.
    pub peak_kib: u64,
}

/// The isolation of a build, as reports and records show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Isolation {
    /// The level.
    pub level: Level,
    /// The Landlock ABI that the kernel ran.
    pub landlock_abi: u32,
    /// One entry for each guarantee.
    pub guarantees: BTreeMap<Guarantee, Enforcement>,
    /// The uid of the build, as the host saw it.
    pub uid: u32,
    /// When the build ended, for a wheel that was kept.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub built_at: Option<Timestamp>,
}

impl From<&IsolationReport> for Isolation {
    fn from(report: &IsolationReport) -> Self {
        Self {
            level: report.level,
            landlock_abi: report.landlock_abi,
            guarantees: report.guarantees.clone(),
            uid: report.uid,
            built_at: None,
        }
    }
}
