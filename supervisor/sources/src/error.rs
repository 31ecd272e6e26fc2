//! What can go wrong while a source is acquired.

use std::io;
use std::path::PathBuf;

use archive::PackError;
use cache::CacheError;
use index::IndexError;
use model::{Code, PackageName, Sha256};

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
    /// An index or URL has other bytes than before, or than it promises.
    #[error(
        "{what}: the bytes of `{place}` have the SHA-256 {found}, not {expected} as before or as promised"
    )]
    Replaced {
        /// Project and version, or the place.
        what: String,
        /// The file.
        place: String,
        /// As recorded or promised.
        expected: Box<Sha256>,
        /// As found, or promised now.
        found: Box<Sha256>,
        /// The project, of a file of an index.
        name: Option<PackageName>,
    },
    /// The source is not in the cache, and its place does not give it.
    #[error("the source of {what} is not in the cache and can not be fetched")]
    NotFetched {
        /// Project and version, or the place.
        what: String,
        /// Why.
        #[source]
        source: IndexError,
    },
    /// The source is not in the cache any more.
    #[error("the source of {what} is not in the cache any more")]
    Gone {
        /// Project and version, or the place.
        what: String,
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
            Self::HashMismatch { .. } | Self::OtherHashMismatch { .. } | Self::Replaced { .. } => {
                Code::HashMismatch
            }
            Self::NotFetched { source, .. } => source.code(),
            Self::Gone { .. } => Code::Io,
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
            Self::Replaced {
                name: Some(name), ..
            } => Some(format!(
                "a file of an index never changes, so do not use it before you know why it did; `fumehood cache clean {name}` then forgets the former one and its wheels"
            )),
            Self::Replaced { name: None, .. } => Some(
                "if it changed for a good reason, --refresh takes what is there now, as another revision"
                    .to_owned(),
            ),
            Self::NotFetched { source, .. } => Some(format!(
                "{}wheels that were built from it are still served, only a build that has no wheel yet needs it",
                match source {
                    IndexError::Offline { .. } => "run once without --offline; ",
                    _ => "name a place that has it; ",
                }
            )),
            Self::Index(IndexError::Offline { .. }) => Some(
                "run once without --offline; what was built already is still served by its exact version"
                    .to_owned(),
            ),
            Self::Gone { .. } => Some("run it again".to_owned()),
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
