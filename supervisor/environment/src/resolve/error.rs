//! Why a list of requirements has no answer.

use model::{Code, PackageName, Version};

use super::ProviderError;

/// The requirements could not be resolved.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// A requirement that was asked for names a URL, which is not looked up in an index.
    #[error("`{requirement}` is a URL; the resolver takes names and versions only")]
    Url {
        /// The requirement.
        requirement: String,
    },
    /// A constraint that is more than a name and versions.
    #[error("`{constraint}` is no constraint: it may hold a name, versions and a marker")]
    Constraint {
        /// The constraint.
        constraint: String,
    },
    /// A version number beyond all reason.
    #[error("`{requirement}` holds a number that no version has")]
    Number {
        /// The requirement.
        requirement: String,
    },
    /// A project that was asked for is not known.
    #[error("{name}: {reason}")]
    UnknownProject {
        /// The project.
        name: PackageName,
        /// Which indexes were asked, in words.
        reason: String,
    },
    /// A project that was asked for has no version that fits.
    #[error("no version of {name} fits:\n{}", bullets(facts))]
    NoVersion {
        /// The project.
        name: PackageName,
        /// What is asked for, and what there is.
        facts: Vec<String>,
    },
    /// The requirements contradict each other.
    #[error("the requirements contradict each other:\n{}", bullets(facts))]
    Contradiction {
        /// The facts that can not all hold, each with where it comes from.
        facts: Vec<String>,
    },
    /// It would take too long.
    #[error("gave up resolving after {steps} steps and {projects} projects")]
    TooBig {
        /// Steps made.
        steps: u64,
        /// Projects looked at.
        projects: usize,
    },
    /// A question could not be answered.
    #[error("{}", asking(project, version.as_ref()))]
    Provider {
        /// Which project it was about.
        project: PackageName,
        /// Which version, if one.
        version: Option<Version>,
        /// The code to report.
        code: Code,
        /// What happened.
        #[source]
        source: std::sync::Arc<ProviderError>,
    },
    /// Nobody waits for the answer any more.
    #[error("the resolution was given up")]
    Cancelled,
    /// The solver ended without an answer: a bug.
    #[error("the resolver stopped without an answer")]
    Crashed,
}

impl ResolveError {
    /// Returns the stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Url { .. } | Self::Number { .. } => Code::BuildRequires,
            Self::Constraint { .. } => Code::BadFlag,
            Self::UnknownProject { .. } => Code::UnknownProject,
            Self::NoVersion { .. } => Code::NoVersion,
            Self::Contradiction { .. } | Self::TooBig { .. } => Code::Unresolvable,
            Self::Provider { code, .. } => *code,
            Self::Cancelled => Code::Interrupted,
            Self::Crashed => Code::Bug,
        }
    }
}

fn bullets(facts: &[String]) -> String {
    facts
        .iter()
        .map(|fact| format!("  - {fact}"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn asking(project: &PackageName, version: Option<&Version>) -> String {
    match version {
        None => format!("could not learn which versions of {project} there are"),
        Some(version) => format!("could not learn what {project} {version} requires"),
    }
}
