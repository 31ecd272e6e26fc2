//! The documents of `inspect` and `verify`, described in `docs/schema/{inspect,verify}.schema.json`.
//!
//! What came from a file is written with everything that acts on a terminal made visible.

use std::collections::BTreeMap;

use builder::record::BuildRecord;
use builder::{Examined, InspectedSdist};
use model::{Digest, PackageName, Version};
use protocol::Level;
use serde::Serialize;
use sources::CoreMetadata;

use crate::neutralise;
use crate::render::Problem;

/// The name of the answer of `inspect`.
const INSPECT: &str = "fumehood-inspect/1";
/// The name of the answer of `verify`.
const VERIFY: &str = "fumehood-verify/1";

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// A source archive.
    Sdist,
    /// A wheel.
    Wheel,
}

/// The answer of `inspect`.
#[derive(Debug, Serialize)]
pub(crate) struct LookedAt {
    schema: &'static str,
    pub(crate) path: String,
    pub(crate) kind: Kind,
    pub(crate) sha256: String,
    pub(crate) size: u64,
    /// As the metadata says, or the file's name if there is none.
    pub(crate) name: Option<String>,
    pub(crate) version: Option<String>,
    /// What is in it: files, folders and links of an sdist, files of a wheel.
    pub(crate) members: Option<u64>,
    /// Bytes, unpacked.
    pub(crate) bytes: Option<u64>,
    pub(crate) requires_python: Option<String>,
    pub(crate) requires_dist: Vec<String>,
    pub(crate) sdist: Option<SdistEntry>,
    pub(crate) wheel: Option<WheelLook>,
    pub(crate) notes: Vec<String>,
    pub(crate) refusals: Vec<RefusalEntry>,
}

/// What only a source archive has.
#[derive(Debug, Serialize)]
pub(crate) struct SdistEntry {
    pub(crate) top_folder: Option<String>,
    pub(crate) requires: Vec<String>,
    /// Null for the legacy one of setuptools.
    pub(crate) backend: Option<String>,
    pub(crate) backend_path: Vec<String>,
    /// What a build would run.
    pub(crate) runs: Vec<String>,
}

/// What only a wheel has.
#[derive(Debug, Serialize)]
pub(crate) struct WheelLook {
    pub(crate) tags: Vec<String>,
    /// `sound`, `broken`, `unread`
    pub(crate) record: &'static str,
    pub(crate) programs: BTreeMap<String, String>,
}

/// A rule that is broken.
#[derive(Debug, Serialize)]
pub(crate) struct RefusalEntry {
    /// The stable code.
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl RefusalEntry {
    /// Makes an entry of a problem.
    pub(crate) fn of(problem: &Problem) -> Self {
        let why = problem.details.iter().map(|(_, text)| text.as_str());
        let parts: Vec<_> = std::iter::once(problem.message.as_str())
            .chain(why)
            .collect();
        Self {
            code: problem.code.text(),
            message: clean(parts.join(": ")),
        }
    }
}

/// Makes text of a file visible.
fn clean(text: impl ToString) -> String {
    neutralise::line(&text.to_string()).into_owned()
}

impl LookedAt {
    /// Begins an answer with what is known of any file.
    pub(crate) fn new(path: &str, kind: Kind, digest: Digest) -> Self {
        Self {
            schema: INSPECT,
            path: path.to_owned(),
            kind,
            sha256: digest.sha256.to_string(),
            size: digest.size,
            name: None,
            version: None,
            members: None,
            bytes: None,
            requires_python: None,
            requires_dist: Vec::new(),
            sdist: None,
            wheel: None,
            notes: Vec::new(),
            refusals: Vec::new(),
        }
    }

    /// Says what it is called.
    pub(crate) fn named(&mut self, name: &PackageName, version: &Version) {
        self.name = Some(name.to_string());
        self.version = Some(clean(version));
    }

    /// Adds what the metadata says.
    pub(crate) fn metadata(&mut self, metadata: &CoreMetadata) {
        self.named(&metadata.name, &metadata.version);
        self.requires_python = metadata.requires_python.as_ref().map(clean);
        self.requires_dist = metadata.requires_dist.iter().map(clean).collect();
    }

    /// Adds what was seen of a source archive.
    pub(crate) fn sdist(&mut self, seen: &InspectedSdist) {
        self.members = Some(seen.unpacked.members);
        self.bytes = Some(seen.unpacked.bytes);
        self.notes = seen.unpacked.notes.iter().map(clean).collect();
        if let Some(metadata) = &seen.metadata {
            self.metadata(metadata);
        }
        let system = seen.system.as_ref().ok().filter(|_| seen.is_project());
        let list = |texts: &[String]| texts.iter().map(clean).collect();
        self.sdist = Some(SdistEntry {
            top_folder: seen.unpacked.top_folder.as_ref().map(clean),
            requires: system.map_or_else(Vec::new, |system| list(&system.requires)),
            backend: system.and_then(|system| system.backend.as_ref().map(clean)),
            backend_path: system.map_or_else(Vec::new, |system| list(&system.backend_path)),
            runs: list(&seen.runs()),
        });
    }

    /// Adds what was seen of a wheel.
    pub(crate) fn wheel(&mut self, seen: &Examined) {
        self.named(&seen.filename.name, &seen.filename.version);
        if let Some(metadata) = &seen.metadata {
            self.metadata(metadata);
        }
        self.members = Some(seen.files as u64);
        self.bytes = Some(seen.bytes);
        self.notes = seen.notes.iter().map(clean).collect();
        let programs = seen.programs.iter();
        self.wheel = Some(WheelLook {
            tags: vec![clean(format!(
                "{}-{}-{}",
                seen.filename.python.join("."),
                seen.filename.abi.join("."),
                seen.filename.platform.join(".")
            ))],
            record: word_of(seen.record),
            programs: programs
                .map(|(name, calls)| (clean(name), clean(calls)))
                .collect(),
        });
    }
}

/// The word for what was found out about RECORD.
fn word_of(record: Option<bool>) -> &'static str {
    match record {
        Some(true) => "sound",
        Some(false) => "broken",
        None => "unread",
    }
}

/// The answer of `verify`.
#[derive(Debug, Serialize)]
pub(crate) struct Verified {
    schema: &'static str,
    pub(crate) path: String,
    pub(crate) sha256: String,
    pub(crate) size: u64,
    /// `sound`, `broken`, `unread`
    pub(crate) record: &'static str,
    /// The build record; null if none was found.
    pub(crate) build: Option<BuildEntry>,
    /// What of it does not hold; nothing for a wheel that is what its record says.
    pub(crate) refusals: Vec<RefusalEntry>,
}

/// What the build record says.
#[derive(Debug, Serialize)]
pub(crate) struct BuildEntry {
    /// Where the record is.
    pub(crate) record: String,
    pub(crate) build: String,
    pub(crate) built_at: jiff::Timestamp,
    pub(crate) level: Level,
    pub(crate) backend: String,
    /// The SHA-256 of the source.
    pub(crate) source: String,
    pub(crate) source_label: String,
}

impl BuildEntry {
    /// Makes an entry of a record.
    pub(crate) fn of(place: &str, record: &BuildRecord) -> Self {
        Self {
            record: clean(place),
            build: clean(&record.build),
            built_at: record.built_at,
            level: record.isolation.level,
            backend: clean(&record.backend),
            source: record.source.digest.sha256.to_string(),
            source_label: clean(&record.source_label),
        }
    }
}

impl Verified {
    /// Makes an answer; `record` is what was found out about RECORD.
    pub(crate) fn new(
        path: &str,
        digest: Digest,
        record: Option<bool>,
        build: Option<BuildEntry>,
        refusals: &[Problem],
    ) -> Self {
        Self {
            schema: VERIFY,
            path: path.to_owned(),
            sha256: digest.sha256.to_string(),
            size: digest.size,
            record: word_of(record),
            build,
            refusals: refusals.iter().map(RefusalEntry::of).collect(),
        }
    }
}
