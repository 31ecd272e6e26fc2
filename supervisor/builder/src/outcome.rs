//! What a caller learns: a wheel, or a failure in words.

use std::path::PathBuf;

use model::{Code, Digest, PackageName, Sha256, SourceId, Version};
use protocol::Denial;
use serde::{Deserialize, Serialize};
use sources::CoreMetadata;

use crate::record::Isolation;
use crate::refusal::Refusal;

/// Where a wheel came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Built now.
    Built,
    /// Built earlier and kept.
    Cached,
    /// Taken as it is, from an index or from where it was named; no code ran.
    Downloaded,
}

/// A wheel that is ready.
#[derive(Clone, Debug)]
pub struct Wheel {
    /// The project.
    pub name: PackageName,
    /// The version.
    pub version: Version,
    /// The wheel's file name.
    pub filename: String,
    /// Where it lies in the cache.
    pub path: PathBuf,
    /// Its digest.
    pub sha256: Sha256,
    /// Its size in bytes.
    pub size: u64,
    /// Where it came from.
    pub origin: Origin,
    /// What it was built from, or the wheel itself where it was named by its place; `None` for one of an index.
    pub source: Option<SourceId>,
    /// The commit that it was built from, if a repository was named.
    pub commit: Option<String>,
    /// The isolation of its build; `None` for one that was downloaded.
    pub isolation: Option<Isolation>,
    /// What was refused to its build.
    pub denials: Vec<Denial>,
    /// Oddities that were accepted.
    pub notes: Vec<String>,
    /// Seconds that it took now.
    pub seconds: f64,
    /// The build record.
    pub record: Option<PathBuf>,
}

impl Wheel {
    /// One that is taken as it is.
    pub(crate) fn taken(
        (name, version): (PackageName, Version),
        filename: String,
        path: PathBuf,
        digest: Digest,
    ) -> Self {
        Self {
            name,
            version,
            filename,
            path,
            sha256: digest.sha256,
            size: digest.size,
            origin: Origin::Downloaded,
            source: None,
            commit: None,
            isolation: None,
            denials: Vec::new(),
            notes: Vec::new(),
            seconds: 0.0,
            record: None,
        }
    }
}

/// An sdist that was made.
#[derive(Clone, Debug)]
pub struct Sdist {
    /// The project.
    pub name: PackageName,
    /// The version.
    pub version: Version,
    /// Its file name, as PEP 625 writes it.
    pub filename: String,
    /// Where it lies in the cache.
    pub path: PathBuf,
    /// Its bytes.
    pub digest: Digest,
    /// What it was made of.
    pub source: SourceId,
    /// The isolation that it was made in.
    pub isolation: Isolation,
    /// What was refused to the backend.
    pub denials: Vec<Denial>,
    /// Oddities that were accepted.
    pub notes: Vec<String>,
    /// Seconds that it took.
    pub seconds: f64,
}

/// What became of an order for an sdist.
#[derive(Debug)]
pub struct Built {
    /// The sdist.
    pub sdist: Result<Sdist, Failure>,
    /// The wheel that was made from it; `None` if none was asked for, or there is no sdist.
    pub wheel: Option<Result<Wheel, Failure>>,
}

/// Where metadata comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MetadataOrigin {
    /// A file of the source that no build can contradict; no code ran.
    Static,
    /// `prepare_metadata_for_build_wheel`, run in a worker.
    Hook,
    /// The wheel itself: built, kept, or of an index.
    Wheel,
}

/// What a distribution says of itself.
#[derive(Clone, Debug)]
pub struct Described {
    /// It.
    pub metadata: CoreMetadata,
    /// Where it comes from.
    pub origin: MetadataOrigin,
    /// The file or hook that says it, for people.
    pub place: String,
    /// The source that it is about; `None` for a wheel of an index.
    pub source: Option<SourceId>,
    /// The isolation that code ran in to say it; `None` if none ran.
    pub isolation: Option<Isolation>,
    /// What was refused to that code.
    pub denials: Vec<Denial>,
}

/// Why there is no wheel, in words.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What was asked for.
    pub spec: String,
    /// The stable code.
    pub code: Code,
    /// What happened, in one sentence.
    pub message: String,
    /// Labelled lines: `in`, `tried`, `why`.
    pub details: Vec<(&'static str, String)>,
    /// How to fix it.
    pub hint: Option<String>,
    /// The id of the build whose log tells more.
    pub log: Option<String>,
    /// What was refused to the build before it failed.
    pub denials: Vec<Denial>,
    /// Files and programs that it was refused, the decisive ones first, if it was traced.
    pub refusals: Vec<Refusal>,
}
