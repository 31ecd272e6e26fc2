//! What a reference of a repository stands for now, and what it stood for before: this is how a commit that a
//! branch has left comes to be of the past. What was asked for by its commit stands for it for ever.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cache::Cache;
use model::{Digest, Sha256};
use serde::{Deserialize, Serialize};
use sources::{GitUrl, Reference, former};

use crate::error::BuildError;

/// What the record's form is called; a reader leaves others alone.
const SCHEMA: &str = "fumehood/git-reference/1";

/// `pointers-v1/git/<digest of the address>/<digest of the reference>.json`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    schema: String,
    /// For people.
    label: String,
    commit: String,
    digest: Digest,
    /// The repositories of the submodules, by their names in the cache.
    #[serde(default)]
    repositories: BTreeSet<Sha256>,
    /// What it stood for before, the latest first.
    #[serde(default)]
    former: Vec<Sha256>,
}

/// What a reference stands for.
#[derive(Clone, Debug)]
pub(super) struct Stands<'a> {
    pub(super) commit: &'a str,
    pub(super) digest: Digest,
    pub(super) repositories: &'a BTreeSet<Sha256>,
}

/// Takes note of what a reference stands for, in `folder`, where the pointers of the repository are. Nothing is
/// written if that is known.
pub(super) fn follow(
    cache: &Cache,
    folder: &Path,
    (url, reference): (&GitUrl, Option<&Reference>),
    now: &Stands<'_>,
) -> Result<(), BuildError> {
    let text = reference.map_or("", Reference::as_str);
    let path = place(folder, reference);
    let known = read(cache, &path);
    let at = if text.is_empty() { "" } else { "@" };
    let record = Record {
        schema: SCHEMA.to_owned(),
        label: format!("{url}{at}{text}"),
        commit: now.commit.to_owned(),
        digest: now.digest,
        repositories: now.repositories.clone(),
        former: known.as_ref().map_or_else(Vec::new, |known| {
            former(now.digest, known.digest, &known.former)
        }),
    };
    if known.as_ref() != Some(&record) {
        cache.write_record(&path, &record)?;
    }
    Ok(())
}

/// Returns the commit that a reference stood for last.
pub(super) fn last(cache: &Cache, folder: &Path, reference: Option<&Reference>) -> Option<String> {
    read(cache, &place(folder, reference)).map(|known| known.commit)
}

/// Whether the record at `path` is one of a reference.
pub(super) fn is_one(cache: &Cache, path: &Path) -> bool {
    read(cache, path).is_some()
}

fn place(folder: &Path, reference: Option<&Reference>) -> PathBuf {
    let text = reference.map_or("", Reference::as_str);
    folder.join(format!("{}.json", Sha256::of(text)))
}

fn read(cache: &Cache, path: &Path) -> Option<Record> {
    let known = cache.read_record::<Record>(path);
    known.filter(|known| known.schema == SCHEMA)
}
