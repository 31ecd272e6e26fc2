//! What was learnt about interpreters, kept in the cache until their files change.
//!
//! `interpreters-v1/<digest of path and stamp>.json`

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use cache::{Bucket, Cache};
use model::{PythonFacts, Sha256};
use serde::{Deserialize, Serialize};

use super::places::WHEEL_FOLDERS;
use super::{Found, InterpreterError, QUESTION, Stamp};

const SCHEMA: &str = "fumehood/interpreter/1";

#[derive(Serialize, Deserialize)]
struct Record {
    schema: String,
    base: PathBuf,
    stamp: Stamp,
    /// The text that was asked: another question makes the answer stale.
    question: Sha256,
    /// Where pip was looked for, and when each changed last: installing pip must be noticed.
    pip_places: Vec<Place>,
    facts: PythonFacts,
}

#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    path: PathBuf,
    /// Seconds and nanoseconds; none if it does not exist.
    changed: Option<(i64, i64)>,
}

/// Returns the facts about `found` if they were kept and neither it nor its pip changed since.
#[must_use]
pub fn remembered(cache: &Cache, found: &Found) -> Option<PythonFacts> {
    let record: Record = cache.read_record(&path_of(cache, found))?;
    let fresh = record.schema == SCHEMA
        && record.base == found.base
        && record.stamp == found.stamp
        && record.question == Sha256::of(QUESTION)
        && record
            .pip_places
            .iter()
            .all(|place| *place == Place::now(&place.path));
    fresh.then_some(record.facts)
}

/// Keeps the facts about `found`.
///
/// # Errors
/// If the cache can not be written.
pub fn remember(cache: &Cache, found: &Found, facts: &PythonFacts) -> Result<(), InterpreterError> {
    let record = Record {
        schema: SCHEMA.to_owned(),
        base: found.base.clone(),
        stamp: found.stamp,
        question: Sha256::of(QUESTION),
        pip_places: pip_places(found, facts)
            .iter()
            .map(|path| Place::now(path))
            .collect(),
        facts: facts.clone(),
    };
    cache
        .write_record(&path_of(cache, found), &record)
        .map_err(|source| InterpreterError::Remember {
            executable: found.executable.clone(),
            source,
        })
}

/// Looks whether a file holds what an interpreter answered. Whether that holds still is seen when it
/// is asked for.
///
/// # Errors
/// If not.
pub fn check_remembered(cache: &Cache, path: &Path) -> Result<(), String> {
    let wrong = || "it is not what an interpreter answered".to_owned();
    let record: Record = cache.read_record(path).ok_or_else(wrong)?;
    (record.schema == SCHEMA).then_some(()).ok_or_else(wrong)
}

fn path_of(cache: &Cache, found: &Found) -> PathBuf {
    let environment = found.environment.as_deref().unwrap_or(Path::new(""));
    let name = Sha256::of(format!(
        "{}\n{}\n{:?}",
        found.base.display(),
        environment.display(),
        found.stamp
    ));
    cache
        .bucket(Bucket::Interpreters)
        .join(format!("{name}.json"))
}

impl Place {
    fn now(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            changed: std::fs::metadata(path)
                .ok()
                .map(|it| (it.mtime(), it.mtime_nsec())),
        }
    }
}

/// Returns the folders whose change may mean that pip came, went or changed.
fn pip_places(found: &Found, facts: &PythonFacts) -> Vec<PathBuf> {
    let (major, minor, _) = facts.version;
    let word = if facts.implementation == "pypy" {
        "pypy"
    } else {
        "python"
    };
    let library = |root: &Path| root.join("lib").join(format!("{word}{major}.{minor}"));
    let base = library(&facts.base_prefix);
    let mut places = vec![
        base.join("site-packages"),
        base.join("ensurepip/_bundled"),
        facts.base_prefix.join("lib/python3/dist-packages"),
        library(Path::new("/usr/local")).join("dist-packages"),
    ];
    places.extend(
        found
            .environment
            .as_deref()
            .map(|root| library(root).join("site-packages")),
    );
    places.extend(WHEEL_FOLDERS.iter().map(PathBuf::from));
    places
}
