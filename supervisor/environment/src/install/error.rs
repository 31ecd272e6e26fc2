//! Why an environment could not be made.

use std::io;
use std::path::{Path, PathBuf};

use model::Code;

/// An environment could not be made, or found again.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// A wheel is not what it should be.
    #[error("the wheel {wheel} was refused: {reason}")]
    BadWheel {
        /// The wheel's file name.
        wheel: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A wheel's bytes are not those that were chosen.
    #[error("the wheel {wheel} has the digest {got}, expected {expected}")]
    Digest {
        /// The wheel's file name.
        wheel: String,
        /// The digest of the file.
        got: model::Sha256,
        /// The digest that was chosen.
        expected: model::Sha256,
    },
    /// Two wheels want different bytes in one place.
    #[error("{first} and {second} both install `{path}`, with different content")]
    Conflict {
        /// Where, relative to the environment.
        path: String,
        /// Who was there first.
        first: String,
        /// Who came later.
        second: String,
    },
    /// A file could not be read or written.
    #[error("could not {what} `{}`", path.display())]
    Io {
        /// What was tried: "write".
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Compiled bytecode is not what was asked for.
    #[error("the bytecode `{path}` was refused: {reason}")]
    Bytecode {
        /// Which, relative to the environment.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The cache could not take it.
    #[error("could not keep the environment")]
    Cache(#[from] cache::CacheError),
    /// It was published and can not be found again.
    #[error("the environment in `{}` can not be read back", path.display())]
    Lost {
        /// Where it should be.
        path: PathBuf,
    },
}

impl InstallError {
    /// Returns the stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::BadWheel { .. } | Self::Conflict { .. } => Code::BadWheel,
            Self::Digest { .. } => Code::HashMismatch,
            Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                Code::DiskFull
            }
            Self::Io { .. } | Self::Lost { .. } => Code::Io,
            Self::Bytecode { .. } => Code::WorkerLost,
            Self::Cache(error) => error.code(),
        }
    }

    /// Returns what turns an I/O error into one of ours.
    pub(crate) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { what, path, source }
    }
}
