//! Which tools a build under the default policy finds. Looked at from outside; a build may start
//! only what its policy lets it.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use builder::Sharing;
use model::PythonFacts;

use super::policy::{compile, policy};
use crate::render::Problem;

/// What builds ask for most.
const TOOLS: [&str; 9] = [
    "cc",
    "c++",
    "ld",
    "make",
    "ninja",
    "cmake",
    "pkg-config",
    "git",
    "cargo",
];

/// Returns where each tool is on the PATH that `strict` gives to builds.
///
/// # Errors
/// If the policy does not fit this machine.
pub(crate) fn tools(
    facts: &PythonFacts,
) -> Result<BTreeMap<&'static str, Option<String>>, Problem> {
    let path = path(facts)?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    Ok(TOOLS
        .into_iter()
        .map(|tool| {
            let place = folders
                .iter()
                .map(|folder| folder.join(tool))
                .find(|place| is_program(place));
            (tool, place.map(|place| place.display().to_string()))
        })
        .collect())
}

/// Returns which of these tools share the jobs of this host.
///
/// # Errors
/// If the policy does not fit this machine.
pub(crate) fn sharing(facts: &PythonFacts) -> Result<Sharing, Problem> {
    Ok(Sharing::on(&path(facts)?))
}

/// The PATH that `strict` gives to builds.
fn path(facts: &PythonFacts) -> Result<String, Problem> {
    let compiled = compile(&policy("strict")?, facts)?;
    let mut variables = compiled.environment.into_iter();
    let path = variables.find(|(name, _)| name == "PATH");
    Ok(path.map(|(_, path)| path).unwrap_or_default())
}

pub(super) fn is_program(place: &Path) -> bool {
    place
        .metadata()
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}
