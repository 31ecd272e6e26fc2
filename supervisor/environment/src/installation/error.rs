//! Why something could not be installed.

use std::io;
use std::path::{Path, PathBuf};

use model::Code;

use crate::install::InstallError;

/// Something could not be installed. What was there before is there still.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// There is no virtual environment where one was named or expected.
    #[error("`{}` is not a virtual environment: {reason}", path.display())]
    NotAnEnvironment {
        /// What was taken for one.
        path: PathBuf,
        /// What it lacks.
        reason: String,
    },
    /// The interpreter belongs to the distribution (PEP 668).
    #[error("the Python `{}` is managed by the system", python.display())]
    Managed {
        /// The interpreter.
        python: PathBuf,
        /// What the distribution says about it; empty if nothing.
        words: String,
    },
    /// Something is in the way of a file.
    #[error("{package} installs `{path}`, {there}")]
    Conflict {
        /// Who wants the place: a wheel's file name.
        package: String,
        /// The place, relative to the target.
        path: String,
        /// What is there.
        there: String,
    },
    /// A link lies where files of packages are; links are not followed.
    #[error("`{path}` is a link, which is not followed")]
    Linked {
        /// Which, relative to the target.
        path: String,
    },
    /// The version that is there can not be taken away.
    #[error("{name} is installed and can not be replaced: {reason}")]
    Unremovable {
        /// The project.
        name: String,
        /// Why.
        reason: String,
    },
    /// An installation that was interrupted could neither be finished nor taken back.
    #[error("an interrupted installation in `{}` could not be repaired", path.display())]
    Unfinished {
        /// The folder with its journal.
        path: PathBuf,
        /// What stood against it.
        #[source]
        source: Box<TargetError>,
    },
    /// A journal that no installer of ours wrote.
    #[error("the journal `{}` makes no sense: {reason}", path.display())]
    Journal {
        /// Which.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// A wheel was refused, or could not be laid out.
    #[error(transparent)]
    Install(#[from] InstallError),
    /// The lock could not be had.
    #[error(transparent)]
    Lock(#[from] cache::CacheError),
    /// A file could not be read, written or moved.
    #[error("could not {what} `{}`", path.display())]
    Io {
        /// What was tried: "move".
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl TargetError {
    /// Returns the stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::NotAnEnvironment { .. } => Code::NoEnvironment,
            Self::Managed { .. } => Code::ManagedPython,
            Self::Conflict { .. } | Self::Linked { .. } => Code::FileConflict,
            Self::Unremovable { .. } => Code::Unremovable,
            Self::Unfinished { .. } | Self::Journal { .. } => Code::HalfInstalled,
            Self::Install(error) => error.code(),
            Self::Lock(error) => error.code(),
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::StorageFull => Code::DiskFull,
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                    Code::TargetPlace
                }
                _ => Code::Io,
            },
        }
    }

    /// Returns how to fix it, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::NotAnEnvironment { .. } => {
                "make one: python3 -m venv .venv; then name it: -p .venv; or install into a folder: --target DIR"
            }
            Self::Managed { .. } => {
                "make an environment: python3 -m venv .venv; then name it: -p .venv"
            }
            Self::Conflict { .. } => {
                "uninstall the package that has it, or move the file away if it is nobody's"
            }
            Self::Linked { .. } => {
                "replace the link by what it leads to, or use another environment"
            }
            Self::Unremovable { .. } => "uninstall it with the program that installed it",
            Self::Unfinished { .. } | Self::Journal { .. } => {
                "make the environment anew; or remove this folder and install the package again with --reinstall"
            }
            _ => return None,
        })
    }

    /// Returns what turns an I/O error into one of ours.
    pub(super) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { what, path, source }
    }
}
