//! Why there is no wheel: one variant for each room that can say no, each with its stable code.

use std::path::PathBuf;

use index::Mapped;
use model::{Code, LinePlace, PackageName, Version};

use crate::executor::ExecuteError;
use crate::hook_failure::HookFailure;
use crate::inspect::{BadWheel, OutputRefused};
use crate::limit::Reached;

/// A build, or what comes before it, failed.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The cache.
    #[error(transparent)]
    Cache(#[from] cache::CacheError),
    /// The index.
    #[error(transparent)]
    Index(#[from] index::IndexError),
    /// The source.
    #[error(transparent)]
    Source(#[from] sources::SourceError),
    /// A git repository.
    #[error(transparent)]
    Git(Box<crate::git::GitError>),
    /// `pyproject.toml`.
    #[error(transparent)]
    Pyproject(#[from] sources::PyprojectError),
    /// The policy.
    #[error(transparent)]
    Policy(#[from] policies::PolicyError),
    /// The interpreter.
    #[error(transparent)]
    Interpreter(#[from] environment::InterpreterError),
    /// The build requirements have no answer.
    #[error("the build requirements could not be resolved")]
    Resolve(#[from] environment::ResolveError),
    /// What was asked for has no answer.
    #[error("the requirements could not be resolved")]
    Requirements(#[source] environment::ResolveError),
    /// The environment could not be made.
    #[error("the build environment could not be made")]
    Install(#[from] environment::InstallError),
    /// A path that the worker would not take.
    #[error(transparent)]
    Path(#[from] protocol::PathError),
    /// The worker gave no evidence.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// The archive was refused.
    #[error("the source archive was refused ({rule}): {detail}")]
    Archive {
        /// The guard's word.
        rule: String,
        /// What exactly.
        detail: String,
    },
    /// The index does not know the project.
    #[error("{}", unknown(name, mapped.as_deref()))]
    UnknownProject {
        /// The project.
        name: PackageName,
        /// The one index that it is looked for on.
        mapped: Option<Box<Mapped>>,
    },
    /// No version fits.
    #[error("no version of `{name}` fits `{wanted}`")]
    NoVersion {
        /// The project.
        name: PackageName,
        /// What was asked for.
        wanted: String,
        /// What there is and why it does not fit.
        left_out: Vec<String>,
    },
    /// The version has no file that may be used.
    #[error("{name} {version} has no file that may be used")]
    NoSource {
        /// The project.
        name: PackageName,
        /// The version.
        version: Version,
        /// Why.
        why: &'static str,
    },
    /// A wheel that was named by its place is for others.
    #[error("the wheel `{wheel}` does not fit this Python: {why}")]
    Unfit {
        /// Its file's name.
        wheel: String,
        /// Why.
        why: String,
    },
    /// The project needs another Python.
    #[error("the marker of `{requirement}` does not hold for this Python")]
    Marker {
        /// The requirement.
        requirement: String,
    },
    /// There is nothing to build.
    #[error("the source has neither `pyproject.toml` nor `setup.py`{place}")]
    NotAProject {
        /// ` in its folder ...`, or nothing.
        place: String,
    },
    /// The disk filled up while a worker ran.
    #[error("the disk was full when the worker ended; what it made may be incomplete")]
    DiskFull,
    /// A requirement from a package is not acceptable.
    #[error("the build requirement `{requirement}` ({origin}) is not acceptable: {why}")]
    BuildRequires {
        /// The requirement, neutralised.
        requirement: String,
        /// Where it stands.
        origin: &'static str,
        /// Why.
        why: String,
    },
    /// A build requirement has to have the version of the run time, and there is none.
    #[error(
        "builds of {package} are to have the version of `{requirement}` that is chosen for the run time, and {}",
        if *is_resolved { "it is not among what was chosen" } else { "none is chosen yet" }
    )]
    MatchRuntime {
        /// What is built.
        package: PackageName,
        /// The requirement.
        requirement: PackageName,
        /// Whether versions were chosen, without one of it.
        is_resolved: bool,
    },
    /// Building needs itself.
    #[error("building it needs itself: {}", chain.join(" needs "))]
    Cycle {
        /// The chain, from what was asked to what closes it.
        chain: Vec<String>,
    },
    /// A requirement that has to be built first could not be.
    #[error("{name} {version}, which has to be built first, could not be built")]
    BuildFirst {
        /// The requirement.
        name: PackageName,
        /// The version.
        version: Version,
        /// Why.
        #[source]
        source: Box<BuildError>,
    },
    /// A hook did not do what it has to.
    #[error("{0}")]
    Hook(Box<HookFailure>),
    /// A limit was reached.
    #[error("{reached}")]
    Limit {
        /// The limit.
        reached: Reached,
        /// Which hook of which backend, and after how long.
        place: String,
    },
    /// What the backend left is not a wheel that could be taken.
    #[error(transparent)]
    Output(#[from] OutputRefused),
    /// The wheel was refused.
    #[error(transparent)]
    Wheel(#[from] BadWheel),
    /// The sdist was refused.
    #[error(transparent)]
    Sdist(#[from] crate::inspect::BadSdist),
    /// The wheel is another project's or version's.
    #[error("{wanted} was asked for, the metadata names {found}")]
    WrongName {
        /// What was asked for.
        wanted: String,
        /// What the metadata says.
        found: String,
    },
    /// The wheel's metadata is not what was said of it before it was built.
    #[error(
        "the wheel's metadata is not what was served before it was built: {} differs",
        .0.field
    )]
    Disagrees(#[source] Box<sources::Difference>),
    /// Bytes that are not what was promised.
    #[error("`{label}` has the SHA-256 {found}, {expected} was expected")]
    HashMismatch {
        /// The file.
        label: String,
        /// Promised.
        expected: model::Sha256,
        /// Found.
        found: model::Sha256,
    },
    /// A hash is required and was not given.
    #[error("{}there is no hash for {label}", at(place.as_ref()))]
    HashMissing {
        /// The project, or what else was asked for.
        label: String,
        /// The line that asks for it.
        place: Option<LinePlace>,
        /// Who wants one, in words.
        why: String,
    },
    /// A file has none of the hashes that were given for it.
    #[error(
        "{}`{label}` has the SHA-256 {found}, and none of the hashes that were given for it",
        at(place.as_ref())
    )]
    HashWrong {
        /// The file.
        label: String,
        /// What it has.
        found: model::Sha256,
        /// What was given.
        given: Vec<String>,
        /// Where that stands.
        place: Option<LinePlace>,
    },
    /// The interpreter did not answer inside the worker.
    #[error("`{}` did not answer: {why}", python.display())]
    Facts {
        /// The interpreter.
        python: PathBuf,
        /// Why.
        why: String,
    },
    /// A forced removal took something under a build.
    #[error("{what} was removed from the cache while it was in use")]
    Removed {
        /// What.
        what: String,
    },
    /// A file operation of ours.
    #[error("could not {doing} `{}`", path.display())]
    Io {
        /// What.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's words.
        #[source]
        source: std::io::Error,
    },
    /// Neither Landlock nor namespaces.
    #[error("this kernel gives neither Landlock nor namespaces, so nothing could be confined")]
    NoLock,
    /// No namespaces, and a Landlock that is too old without them.
    #[error("namespaces are refused here ({namespaces}), and {landlock}")]
    TooOld {
        /// How they are refused, in the kernel's words.
        namespaces: String,
        /// What Landlock lacks.
        landlock: String,
    },
    /// Every uid for builds is taken.
    #[error("every uid for builds is taken on this host")]
    NoUid,
    /// A task of ours ended without an answer.
    #[error("a task of fumehood itself broke while it was to {doing}")]
    Task {
        /// What it was doing.
        doing: &'static str,
    },
    /// An error with the build whose log tells more.
    #[error("{source}")]
    InBuild {
        /// The build's id.
        build: String,
        /// What was refused to it, where the error itself does not tell.
        denials: Vec<protocol::Denial>,
        /// The error.
        source: Box<BuildError>,
    },
}

/// Says where a project was looked for in vain.
fn unknown(name: &PackageName, mapped: Option<&Mapped>) -> String {
    match mapped {
        Some(mapped) => mapped.misses(name),
        None => format!("no index knows the project `{name}`"),
    }
}

fn at(place: Option<&LinePlace>) -> String {
    place.map_or_else(String::new, |place| format!("{place}: "))
}

impl std::fmt::Display for HookFailure {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.problem.fmt(out)
    }
}

impl From<crate::git::GitError> for BuildError {
    fn from(error: crate::git::GitError) -> Self {
        Self::Git(Box::new(error))
    }
}

impl BuildError {
    /// Returns the stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Cache(error) => error.code(),
            Self::Index(error) => error.code(),
            Self::Source(error) => error.code(),
            Self::Git(error) => error.code(),
            Self::Pyproject(error) => error.code(),
            Self::Policy(_) => Code::BadPolicy,
            Self::Interpreter(error) => error.code(),
            Self::Resolve(error) => error.code(),
            Self::Requirements(environment::ResolveError::Number { .. }) => Code::BadSpec,
            Self::Requirements(error) => error.code(),
            Self::Install(error) => error.code(),
            Self::Execute(error) => error.code(),
            Self::Archive { .. } => Code::BadArchive,
            Self::UnknownProject { .. } => Code::UnknownProject,
            Self::NoVersion { .. } | Self::Marker { .. } => Code::NoVersion,
            Self::NoSource { .. } | Self::Unfit { .. } => Code::NoSource,
            Self::NotAProject { .. } => Code::BadPyproject,
            Self::DiskFull => Code::DiskFull,
            Self::BuildRequires { .. } | Self::MatchRuntime { .. } => Code::BuildRequires,
            Self::Cycle { .. } => Code::BuildCycle,
            Self::Hook(failure) => failure.code(),
            Self::Limit { reached, .. } => reached.code(),
            Self::Output(error) => error.code(),
            Self::Wheel(error) => error.code(),
            Self::Sdist(error) => error.code(),
            Self::WrongName { .. } => Code::WrongName,
            Self::Disagrees(_) => Code::MetadataDiffers,
            Self::HashMismatch { .. } => Code::HashMismatch,
            Self::HashMissing { .. } => Code::HashMissing,
            Self::HashWrong { .. } => Code::HashWrong,
            Self::Facts { .. } => Code::BadInterpreter,
            Self::Removed { .. } => Code::Removed,
            Self::Io { source, .. } if is_full(source) => Code::DiskFull,
            Self::Io { .. } | Self::Path(_) => Code::Io,
            Self::Task { .. } => Code::Bug,
            Self::NoUid | Self::NoLock | Self::TooOld { .. } => Code::Isolation,
            Self::BuildFirst { source, .. } | Self::InBuild { source, .. } => source.code(),
        }
    }

    /// What was refused to the build before it failed.
    pub(crate) fn denials(&self) -> &[protocol::Denial] {
        match self {
            Self::Hook(failure) => &failure.denials,
            Self::InBuild {
                source, denials, ..
            } => match source.denials() {
                [] => denials,
                told => told,
            },
            _ => &[],
        }
    }

    /// Returns the files and programs that the build was refused before it failed.
    pub(crate) fn refusals(&self) -> &[crate::Refusal] {
        match self {
            Self::Hook(failure) => &failure.refusals,
            Self::InBuild { source, .. } | Self::BuildFirst { source, .. } => source.refusals(),
            _ => &[],
        }
    }

    /// Says in which build it happened, unless that is said already.
    pub(crate) fn in_build(self, build: &str, denials: Vec<protocol::Denial>) -> Self {
        match self {
            Self::InBuild { .. } => self,
            other => Self::InBuild {
                build: build.to_owned(),
                denials,
                source: Box::new(other),
            },
        }
    }

    /// Returns the innermost error that is about the build itself, and the build's id.
    pub(crate) fn innermost(&self) -> (&Self, Option<&str>) {
        match self {
            Self::InBuild { build, source, .. } => {
                let (inner, deeper) = source.innermost();
                (inner, deeper.or(Some(build)))
            }
            Self::BuildFirst { source, .. } => {
                let (_, build) = source.innermost();
                (self, build)
            }
            other => (other, None),
        }
    }
}

pub(crate) fn is_full(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded)
}
