//! Which folders are not part of a source tree when it is packed. Pure decisions by name and by
//! what the folder holds; whether git tracks something is in `pack/tracked.rs`.

use std::path::{Path, PathBuf};

/// Folders that hold what tools left behind.
const LEFT_BEHIND: [&str; 4] = ["__pycache__", ".tox", ".nox", "node_modules"];

/// Places that are never packed, wherever they lie.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exclusions {
    /// Absolute folders: the output directory, the cache root.
    pub folders: Vec<PathBuf>,
}

impl Exclusions {
    /// Tells whether `folder` is one of the places.
    pub(crate) fn names(&self, folder: &Path) -> bool {
        self.folders.iter().any(|excluded| excluded == folder)
    }

    /// Returns the same places with links in their paths resolved, where they exist.
    pub(crate) fn resolved(&self) -> Self {
        let mut folders = self.folders.clone();
        folders.extend(
            self.folders
                .iter()
                .filter_map(|folder| folder.canonicalize().ok()),
        );
        Self { folders }
    }
}

/// Tells whether a folder of this name is what a tool left behind, at any depth.
pub(crate) fn is_left_behind(name: &str) -> bool {
    LEFT_BEHIND.contains(&name)
}

/// Tells whether a folder of this name, at the top, is left out unless it is tracked.
pub(crate) fn is_build_output(name: &str) -> bool {
    name == "build" || name.ends_with(".egg-info")
}
