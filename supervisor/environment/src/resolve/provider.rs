//! The seam to whatever knows packages: an index in the program, a table in tests.

use futures::future::BoxFuture;
use index::Candidate;
use model::{Code, ExtraName, PackageName, Requirement, Version, VersionSpecifiers};

/// What a version says about itself, as far as resolution needs it.
#[derive(Clone, Debug, Default)]
pub struct Metadata {
    /// `Requires-Dist`
    pub requires: Vec<Requirement>,
    /// `Requires-Python`
    pub requires_python: Option<VersionSpecifiers>,
    /// `Provides-Extra`
    pub extras: Vec<ExtraName>,
}

/// Answers the resolver's questions. Each is asked once a resolution.
pub trait Provider: Send + Sync {
    /// Returns every version of a project that has a file, best first.
    ///
    /// Pre-releases and yanked versions belong to it: whether they may be taken depends on what is
    /// required, and is decided by the resolver. [`super::all_candidates`] makes such a list.
    fn candidates<'a>(
        &'a self,
        project: &'a PackageName,
    ) -> BoxFuture<'a, Result<Vec<Candidate>, ProviderError>>;

    /// Returns what one version says about itself. May be asked ahead of need for versions where
    /// that is cheap; for a source distribution this may mean a build, so it is asked only when the
    /// version is about to be chosen.
    fn metadata<'a>(
        &'a self,
        project: &'a PackageName,
        candidate: &'a Candidate,
    ) -> BoxFuture<'a, Result<Metadata, ProviderError>>;

    /// Returns the version that is taken wherever it may be, instead of the newest: one that is installed. It
    /// needs no file.
    fn preferred(&self, _project: &PackageName) -> Option<Version> {
        None
    }

    /// Returns the one place where a project is looked for, in words, if there is but one: "the index `corp` alone".
    fn place(&self, _project: &PackageName) -> Option<String> {
        None
    }

    /// Whether [`Self::metadata`] of a candidate costs little. Only that is asked ahead of need, and projects
    /// whose metadata costs more are decided last, when the fewest of their versions are left.
    fn is_cheap(&self, candidate: &Candidate) -> bool {
        candidate.wheel.is_some()
    }
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// No index knows the project: other versions of what requires it are tried.
    #[error("{reason}")]
    Unknown {
        /// Which indexes were asked, in words.
        reason: String,
    },
    /// The project or version can not be used: others are tried.
    #[error("{reason}")]
    Excluded {
        /// Why, in words that go on `NAME VERSION`: "its metadata is damaged".
        reason: String,
    },
    /// Nothing can be decided without the answer: the resolution ends.
    #[error("{source}")]
    Failed {
        /// The code to report.
        code: Code,
        /// What happened.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl ProviderError {
    /// Wraps an error that ends the resolution.
    pub fn failed(code: Code, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Failed {
            code,
            source: source.into(),
        }
    }
}
