//! Absolute paths, checked whenever one crosses the link.

use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

/// An absolute path without `..` and without NUL bytes, at most 4,095 bytes long (`PATH_MAX`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<u8>", into = "Vec<u8>")]
pub struct AbsPath(PathBuf);

/// Why bytes are not an [`AbsPath`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It does not begin at the root.
    #[error("`{0}` is not absolute")]
    Relative(String),
    /// It climbs.
    #[error("`{0}` contains `..`")]
    Climbs(String),
    /// It holds a NUL byte or is longer than the kernel takes.
    #[error("a path holds a NUL byte or is longer than 4,095 bytes")]
    Unfit,
}

impl AbsPath {
    /// Checks `path`.
    ///
    /// # Errors
    /// Names the rule that the path breaks.
    pub fn new(path: impl Into<PathBuf>) -> Result<Self, PathError> {
        let path = path.into();
        let bytes = path.as_os_str().as_bytes();
        if bytes.contains(&0) || bytes.len() > 4095 {
            return Err(PathError::Unfit);
        }
        if !path.is_absolute() {
            return Err(PathError::Relative(path.display().to_string()));
        }
        if path.components().any(|part| part == Component::ParentDir) {
            return Err(PathError::Climbs(path.display().to_string()));
        }
        Ok(Self(path))
    }

    /// Returns the path.
    #[must_use]
    pub fn as_path(&self) -> &Path {
        &self.0
    }

    /// Appends one plain name.
    ///
    /// # Errors
    /// If `name` makes the path climb or too long.
    pub fn join(&self, name: impl AsRef<OsStr>) -> Result<Self, PathError> {
        Self::new(self.0.join(Path::new(name.as_ref())))
    }
}

impl AsRef<Path> for AbsPath {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl std::fmt::Display for AbsPath {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.display().fmt(out)
    }
}

impl TryFrom<Vec<u8>> for AbsPath {
    type Error = PathError;
    fn try_from(bytes: Vec<u8>) -> Result<Self, PathError> {
        Self::new(std::ffi::OsString::from_vec(bytes))
    }
}

impl From<AbsPath> for Vec<u8> {
    fn from(path: AbsPath) -> Self {
        path.0.into_os_string().into_vec()
    }
}
