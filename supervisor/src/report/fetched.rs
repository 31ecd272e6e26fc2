//! What `fetch` answers: each project once, with the file that is there now.

use std::collections::BTreeMap;

use builder::{Fetched, FetchedKind};
use serde::Serialize;

use super::{Answer, FailureEntry, SCHEMA};
use crate::neutralise;

/// The answer of `fetch`.
#[derive(Debug, Serialize)]
pub(crate) struct FetchDocument {
    schema: &'static str,
    /// What was asked for first, then what that needs, by name.
    fetched: Vec<FetchedEntry>,
    failures: Vec<FailureEntry>,
}

/// One project.
#[derive(Debug, Serialize)]
struct FetchedEntry {
    name: String,
    version: String,
    /// `wheel`: of an index; `source`: still to be built; `kept`: a wheel that was built.
    kind: FetchedKind,
    filename: String,
    sha256: String,
    size: u64,
    /// What the build environment holds, by name.
    build_requires: BTreeMap<String, String>,
    /// What its hook asked for beyond what the source declares.
    asked_by_hook: Vec<String>,
}

impl FetchDocument {
    /// Makes the document.
    pub(crate) fn new(fetched: &[Fetched], failures: Vec<FailureEntry>) -> Self {
        Self {
            schema: SCHEMA,
            fetched: fetched.iter().map(entry).collect(),
            failures,
        }
    }
}

impl Answer for FetchDocument {
    fn json(&self) -> String {
        super::text(self)
    }

    fn lines(&self) -> String {
        let line = |one: &FetchedEntry| {
            let kind = match one.kind {
                FetchedKind::Wheel => "wheel".to_owned(),
                FetchedKind::Kept => "wheel, built and kept".to_owned(),
                FetchedKind::Source => {
                    let many = one.build_requires.len();
                    let asked = match one.asked_by_hook.as_slice() {
                        [] => String::new(),
                        asked => format!("; its hook asks for {}", asked.join(", ")),
                    };
                    format!("source, to be built with {many} packages{asked}")
                }
            };
            format!("{}=={}  {kind}\n", one.name, one.version)
        };
        self.fetched.iter().map(line).collect()
    }

    fn last_line(&self) -> String {
        let count = |kind| self.fetched.iter().filter(|one| one.kind == kind).count();
        let failed = match self.failures.len() {
            0 => String::new(),
            many => format!("{many} failed, "),
        };
        format!(
            "{failed}{} wheels, {} sources, {} built before; `wheel` with --offline needs nothing else of them",
            count(FetchedKind::Wheel),
            count(FetchedKind::Source),
            count(FetchedKind::Kept)
        )
    }
}

fn entry(fetched: &Fetched) -> FetchedEntry {
    let asked = fetched.asked_by_hook.iter();
    FetchedEntry {
        name: fetched.name.to_string(),
        version: fetched.version.to_string(),
        kind: fetched.kind,
        filename: neutralise::line(&fetched.filename).into_owned(),
        sha256: fetched.sha256.to_string(),
        size: fetched.size,
        build_requires: fetched
            .build_requires
            .iter()
            .map(|(name, version)| (name.to_string(), version.to_string()))
            .collect(),
        asked_by_hook: asked
            .map(|text| model::lenient::without_credentials(&neutralise::line(text)))
            .collect(),
    }
}
