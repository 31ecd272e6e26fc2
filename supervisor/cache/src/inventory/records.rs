//! The few fields of other crates' records that decide what an entry is. Readers ignore the rest.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use model::{Digest, PackageName, Sha256, SourceId, Version};
use serde::Deserialize;
use serde_json::Value;

/// `record.json` beside a built wheel.
#[derive(Debug, Deserialize)]
pub(crate) struct WheelRecord {
    pub(crate) name: PackageName,
    pub(crate) version: Version,
    pub(crate) filename: String,
    pub(crate) wheel: Digest,
    pub(crate) source: SourceId,
    pub(crate) source_label: String,
    pub(crate) key: Sha256,
    pub(crate) python: String,
}

/// `environment.json`
#[derive(Debug, Deserialize)]
pub(crate) struct EnvironmentRecord {
    pub(crate) name: Sha256,
    pub(crate) interpreter: PathBuf,
    pub(crate) packages: Vec<EnvironmentPackage>,
}

/// One package of an environment.
#[derive(Debug, Deserialize)]
pub(crate) struct EnvironmentPackage {
    pub(crate) name: PackageName,
    pub(crate) version: Version,
}

/// A page of an index, or the metadata of a file.
#[derive(Debug, Deserialize)]
pub(crate) struct PageRecord {
    #[serde(default)]
    pub(crate) document: Option<PageDocument>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct PageDocument {
    #[serde(default)]
    entries: Vec<PageEntry>,
}

#[derive(Debug, Deserialize)]
struct PageEntry {
    #[serde(default)]
    hashes: BTreeMap<String, String>,
}

impl PageDocument {
    /// Returns the digests of the files that the page lists.
    pub(crate) fn files(&self) -> BTreeSet<Sha256> {
        let texts = self
            .entries
            .iter()
            .filter_map(|entry| entry.hashes.get("sha256"));
        texts.filter_map(|text| text.parse().ok()).collect()
    }
}

/// The words that a pointer puts the sources of its past under.
const FORMER: &str = "former";

/// Returns the digests that a pointer stands for, and those that it stood for.
///
/// Kinds of places write pointers of their own shape; every SHA-256 in one is taken for a source
/// that it needs, so that none is removed because its field has a name that is not known here.
pub(crate) fn digests(record: &Value) -> (BTreeSet<Sha256>, BTreeSet<Sha256>) {
    let (mut current, mut former) = (BTreeSet::new(), BTreeSet::new());
    let mut pending = vec![(record, false)];
    while let Some((value, is_former)) = pending.pop() {
        match value {
            Value::Object(fields) => {
                pending.extend(
                    fields
                        .iter()
                        .map(|(name, value)| (value, is_former || name == FORMER)),
                );
            }
            Value::Array(values) => pending.extend(values.iter().map(|value| (value, is_former))),
            Value::String(text) => {
                if let Ok(digest) = text.parse() {
                    if is_former {
                        former.insert(digest);
                    } else {
                        current.insert(digest);
                    }
                }
            }
            _ => {}
        }
    }
    former.retain(|digest| !current.contains(digest));
    (current, former)
}

/// Returns the first of some fields that is text.
pub(crate) fn text(record: &Value, fields: &[&str]) -> Option<String> {
    fields
        .iter()
        .find_map(|field| record.get(field)?.as_str().map(str::to_owned))
}
