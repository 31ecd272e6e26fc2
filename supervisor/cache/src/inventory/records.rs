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

/// The word that a pointer puts the sources of its past under.
const FORMER: &str = "former";
/// The words that it puts the git repositories under that it was taken from, by their names in the cache.
const REPOSITORIES: [&str; 2] = ["repository", "repositories"];
/// What decides the version of a commit: a digest that is of no source.
const NO_SOURCE: &str = "identity";

/// The digests in a pointer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Digests {
    /// Those of the sources that it stands for.
    pub(crate) current: BTreeSet<Sha256>,
    /// Those of the sources that it stood for.
    pub(crate) former: BTreeSet<Sha256>,
    /// Those that repositories are named by.
    pub(crate) repositories: BTreeSet<Sha256>,
}

impl Digests {
    /// Reads a pointer.
    ///
    /// Kinds of places write pointers of their own shape; every SHA-256 in one is taken for a source
    /// that it needs, so that none is removed because its field has a name that is not known here.
    pub(crate) fn of(record: &Value) -> Self {
        let mut digests = Self::default();
        digests.read(record, "");
        let Self {
            current, former, ..
        } = &mut digests;
        former.retain(|digest| !current.contains(digest));
        digests
    }

    /// Reads what stands under `field`; the outermost word that is known here counts.
    fn read(&mut self, value: &Value, field: &str) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let is_known = field == FORMER || REPOSITORIES.contains(&field);
                    self.read(value, if is_known { field } else { name });
                }
            }
            Value::Array(values) => values.iter().for_each(|value| self.read(value, field)),
            Value::String(text) if field != NO_SOURCE => {
                let into = match field {
                    FORMER => &mut self.former,
                    _ if REPOSITORIES.contains(&field) => &mut self.repositories,
                    _ => &mut self.current,
                };
                into.extend(text.parse::<Sha256>());
            }
            _ => {}
        }
    }
}

/// Returns the first of some fields that is text.
pub(crate) fn text(record: &Value, fields: &[&str]) -> Option<String> {
    fields
        .iter()
        .find_map(|field| record.get(field)?.as_str().map(str::to_owned))
}
