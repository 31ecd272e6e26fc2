//! What can go wrong while a source is acquired.

use std::io;
use std::path::PathBuf;

use archive::PackError;
use cache::CacheError;
use index::IndexError;
use model::{Code, Sha256};

/// A source could not be acquired.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The index or the network failed.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The cache failed.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The folder can not be packed.
    #[error("the folder `{}` can not be taken as a source", path.display())]
    Pack {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: PackError,
    },
    /// A local file can not be read.
    #[error("could not read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The bytes are not those that were asked for.
    #[error("`{what}` has the SHA-256 {found}, not {expected}")]
    HashMismatch {
        /// What was read.
        what: String,
        /// As asked.
        expected: Sha256,
        /// As found.
        found: Sha256,
    },
    /// The bytes do not have the digest that the index promises by another algorithm.
    #[error("`{what}` does not have the {algorithm} {expected}")]
    OtherHashMismatch {
        /// What was read.
        what: String,
        /// The algorithm, as indexes write it.
        algorithm: &'static str,
        /// As promised, neutralised.
        expected: String,
    },
    /// The bytes are no archive that is known.
    #[error("`{what}` is neither a tar archive (plain, gzip, bzip2, xz) nor a zip archive")]
    NotAnArchive {
        /// What was read.
        what: String,
    },
    /// The folder has nothing in it that says how to build it.
    #[error("`{}` has neither `pyproject.toml` nor `setup.py`", path.display())]
    NotAProject {
        /// The folder.
        path: PathBuf,
    },
    /// A requirement has no place; it has to be looked up in an index first.
    #[error("`{spec}` was not looked up in an index before it was fetched")]
    Unresolved {
        /// The requirement.
        spec: String,
    },
    /// The index's file is a wheel.
    #[error("`{filename}` is not an sdist")]
    NotAnSdist {
        /// The file.
        filename: String,
    },
    /// A thread of this program ended while it was working on the source.
    #[error("a task of fumehood ended early")]
    Lost {
        /// Why.
        #[source]
        source: tokio::task::JoinError,
    },
}

impl SourceError {
    /// Returns the stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Index(error) => error.code(),
            Self::Cache(error) => error.code(),
            Self::Pack { source, .. } => pack_code(source),
            Self::Read { .. } => Code::Io,
            Self::HashMismatch { .. } | Self::OtherHashMismatch { .. } => Code::HashMismatch,
            Self::NotAnArchive { .. } => Code::BadArchive,
            Self::NotAProject { .. } => Code::BadSpec,
            Self::Unresolved { .. } | Self::NotAnSdist { .. } | Self::Lost { .. } => Code::Bug,
        }
    }

    /// Returns what to do about it, where there is something to do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Cache(error) => error.hint(),
            Self::Index(IndexError::Cache(error)) => error.hint(),
            Self::NotAProject { .. } => {
                Some("give the project's folder, or #subdirectory=FOLDER".to_owned())
            }
            _ => None,
        }
    }
}

fn pack_code(error: &PackError) -> Code {
    match error {
        PackError::Write { source, .. }
            if matches!(
                source.kind(),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
            ) =>
        {
            Code::DiskFull
        }
        PackError::Write { .. } | PackError::Read { .. } | PackError::Changed { .. } => Code::Io,
        PackError::NotAFolder { .. } | PackError::Empty { .. } => Code::BadSpec,
        _ => Code::BadArchive,
    }
}
