//! Whether what builds left in the cache has the form that is read, for a check of everything.

use std::fs;
use std::path::Path;

use cache::Cache;
use model::{Digest, Sha256};
use serde::Deserialize;

use crate::build_id;
use crate::git::is_reference;
use crate::kept_build::{self, KeptBuild};
use crate::pipeline::PROPOSAL;
use crate::summary::{self, BuildSummary};

/// Which blob a commit is, as far as a check wants to know.
#[derive(Deserialize)]
struct Commit {
    schema: String,
    #[serde(rename = "commit")]
    _commit: String,
    #[serde(rename = "digest")]
    _digest: Digest,
}

/// Which stand-in the state of a repository leads to, likewise.
#[derive(Deserialize)]
struct State {
    schema: String,
    #[serde(rename = "entry")]
    _entry: Sha256,
}

/// Looks into the folder of a log. What a build wrote into its log is its own affair, and one that was
/// killed has no summary.
///
/// # Errors
/// If something in it is not what is written there: what is wrong first.
pub fn check_log(cache: &Cache, folder: &Path) -> Result<(), String> {
    let build = folder.file_name().unwrap_or_default().to_string_lossy();
    let entries = fs::read_dir(folder).map_err(|error| format!("it can not be read: {error}"))?;
    for entry in entries {
        let entry = entry.map_err(|error| format!("it can not be read: {error}"))?;
        let (name, path) = (entry.file_name(), entry.path());
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        let is_sound = match name.to_str() {
            // A person may have changed the policy.
            Some(build_id::LOG | PROPOSAL) => true,
            Some(build_id::SUMMARY) => {
                let summary = cache.read_record::<BuildSummary>(&path);
                summary.is_some_and(|it| it.schema == summary::SCHEMA && it.build == build)
            }
            Some(kept_build::NAME) => KeptBuild::read(cache, &build).is_some(),
            _ => return Err(format!("{name:?} is none of what a build leaves")),
        };
        if !is_file || !is_sound {
            return Err(format!("{} is not what is written here", name.display()));
        }
    }
    Ok(())
}

/// Looks whether the pointer of a commit, of a reference or of the state of a repository is one.
///
/// # Errors
/// If not.
pub fn check_git_pointer(cache: &Cache, path: &Path) -> Result<(), String> {
    let of_commit = || cache.read_record::<Commit>(path).map(|it| it.schema);
    let of_state = || cache.read_record::<State>(path).map(|it| it.schema);
    let is_sound = is_reference(cache, path)
        || of_commit().is_some_and(|schema| schema.starts_with("fumehood/git-pointer/"))
        || of_state().is_some_and(|schema| schema.starts_with("fumehood/git-folder/"));
    let wrong = || "it is not what is written here".to_owned();
    is_sound.then_some(()).ok_or_else(wrong)
}
