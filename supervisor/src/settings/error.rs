//! What can be wrong with a setting.

use std::path::PathBuf;

use model::Code;

use super::Origin;
use super::configuration::Place;

/// Why a setting can not be understood. No variant repeats a value that may hold credentials.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    /// The value does not fit.
    #[error("{origin}: {what}")]
    Unfit {
        /// Where the value came from.
        origin: Origin,
        /// What is wrong with it.
        what: String,
    },
    /// A variable is not UTF-8.
    #[error("the variable {name} is not UTF-8 text")]
    NotText {
        /// Its name.
        name: &'static str,
    },
    /// There is no place for the cache.
    #[error("there is no place for a cache: neither XDG_CACHE_HOME nor HOME is an absolute path")]
    NoCachePlace,
    /// The working directory is gone.
    #[error("the working directory can not be used")]
    NoDirectory(#[source] std::io::Error),
    /// A configuration file can not be read.
    #[error("could not read `{}`", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file of requirements or constraints can not be taken.
    #[error(transparent)]
    Requirements(#[from] requirements::RequirementsError),
    /// A configuration file can not be understood.
    #[error(transparent)]
    Configuration(#[from] policies::PolicyError),
    /// Somebody else could have written a configuration file that may widen.
    #[error("the configuration file `{}` is not safe to use: {why}", file.display())]
    Untrusted {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A variable asks for more than holds without it.
    #[error("{origin} would widen what holds without it")]
    Widens {
        /// The variable.
        origin: Origin,
        /// What may.
        flag: &'static str,
    },
    /// More is asked for than the system's ceiling allows.
    #[error("{what} exceeds the ceiling of this system")]
    Exceeds {
        /// Who asks for what.
        what: String,
        /// What the ceiling allows.
        allowed: String,
        /// Where it stands.
        place: Place,
    },
    /// Less isolation is asked for than the system's ceiling demands.
    #[error("{what} is below what this system demands")]
    BelowFloor {
        /// Who asks for what.
        what: String,
        /// The lowest level.
        allowed: String,
        /// Where it stands.
        place: Place,
    },
    /// `--no-build-isolation`
    #[error("`--no-build-isolation` is refused")]
    NoBuildIsolation,
    /// `--refresh` without a network.
    #[error("`--offline` and `--refresh` or `--refresh-package` contradict each other")]
    OfflineRefresh,
}

impl SettingsError {
    /// Returns the stable code.
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::NoCachePlace => Code::CachePlace,
            Self::NoBuildIsolation => Code::FlagRefused,
            Self::Requirements(error) => error.code(),
            Self::Configuration(_) | Self::Untrusted { .. } => Code::Configuration,
            Self::Exceeds { .. } => Code::Ceiling,
            Self::BelowFloor { .. } => Code::CeilingIsolation,
            _ => Code::BadFlag,
        }
    }

    /// Returns how to fix it, where one sentence can say it.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::NoCachePlace => Some("name one: --cache-dir DIR".to_owned()),
            Self::NoBuildIsolation => Some(
                "drop the flag, and name what the package forgot to declare: --extra-build-dep PKG:REQ"
                    .to_owned(),
            ),
            Self::OfflineRefresh => Some("drop one of them".to_owned()),
            Self::Requirements(error) => error.hint(),
            Self::Configuration(_) => {
                Some("correct the line, or go on without it: --no-config".to_owned())
            }
            Self::Untrusted { .. } => Some(
                "let it and its folder belong to you or root, and take write permission from others: chmod go-w"
                    .to_owned(),
            ),
            Self::Widens { flag, .. } => Some(format!("use {flag}")),
            Self::Exceeds { place, .. } | Self::BelowFloor { place, .. } => Some(format!(
                "ask for no more, or let whoever administers this system change {place}"
            )),
            _ => None,
        }
    }

    /// Returns the reason behind it, where there is more to say than the message.
    pub(crate) fn why(&self) -> Option<String> {
        match self {
            Self::NoBuildIsolation => Some(
                "it would build against whatever is installed here: packages that nobody asked for could change the wheel, and it could be no other build's wheel"
                    .to_owned(),
            ),
            Self::Requirements(error) => error.why(),
            Self::Untrusted { .. } => {
                Some("whoever can write it decides what builds may touch".to_owned())
            }
            Self::Widens { .. } => {
                Some("a variable may narrow; what widens is typed for one run".to_owned())
            }
            Self::Exceeds { allowed, place, .. } | Self::BelowFloor { allowed, place, .. } => {
                Some(format!("{place} allows {allowed}"))
            }
            _ => None,
        }
    }
}
