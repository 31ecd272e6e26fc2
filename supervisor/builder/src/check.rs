//! Whether what builds left in the cache has the form that is read, for a check of everything.

use std::fs;
use std::path::Path;

use cache::Cache;

use crate::build_id;
use crate::kept_build::{self, KeptBuild};
use crate::pipeline::PROPOSAL;
use crate::summary::{self, BuildSummary};

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
