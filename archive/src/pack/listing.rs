//! What packing would take, by name, for somebody who wants to see whether it changed.

use std::path::{Path, PathBuf};

use super::{PackError, survey};
use crate::Exclusions;

/// What would be packed of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The folder with all links in its path resolved.
    pub root: PathBuf,
    /// Every file, folder and link, relative to the root, sorted.
    pub paths: Vec<String>,
}

/// Lists what [`super::pack`] would pack; opens none of the files that would be packed.
///
/// # Errors
/// As [`super::pack`], but for what only shows when a file is read.
pub fn listing(tree: &Path, exclusions: &Exclusions) -> Result<Listing, PackError> {
    let survey = survey::survey(tree, &exclusions.resolved())?;
    Ok(Listing {
        root: survey.root,
        paths: survey.found.into_iter().map(|found| found.path).collect(),
    })
}
