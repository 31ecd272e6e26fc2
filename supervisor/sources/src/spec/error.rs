//! Why what was asked for is nothing that can be built, in words.

use std::path::PathBuf;

use model::{BadFilename, Code, NotARequirement, PackageName};

use super::LONGEST;

/// What was asked for is nothing that can be built.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    /// There is nothing.
    #[error("nothing was asked for")]
    Empty,
    /// It is longer than anything a person writes.
    #[error("`{text}` has {bytes} bytes, at most {LONGEST} are read")]
    TooLong {
        /// Its beginning.
        text: String,
        /// Bytes.
        bytes: usize,
    },
    /// It has control characters in it.
    #[error("`{text}` has control characters in it")]
    Control {
        /// As asked, neutralised.
        text: String,
    },
    /// It is no requirement, and no URL or path either.
    #[error("it is neither a requirement nor a URL or a path")]
    Requirement {
        /// Why it is no requirement.
        #[source]
        source: NotARequirement,
    },
    /// The URL is none.
    #[error("`{text}` is not a URL: {why}")]
    Url {
        /// As asked, without credentials.
        text: String,
        /// Why.
        why: String,
    },
    /// The part behind `#` is not understood.
    #[error("`{text}` has a fragment that is not understood: {why}")]
    Fragment {
        /// As asked, without credentials.
        text: String,
        /// Why.
        why: String,
    },
    /// It is a git repository's address or reference that is not taken.
    #[error("`{text}` is not taken: {why}")]
    Git {
        /// As asked, without credentials.
        text: String,
        /// Why.
        why: String,
    },
    /// It is a repository of another system than git.
    #[error("`{text}` is a repository of another system than git")]
    Repository {
        /// As asked, without credentials.
        text: String,
    },
    /// Its file's name is none of a wheel.
    #[error("`{text}` is not a wheel")]
    Wheel {
        /// As asked, without credentials.
        text: String,
        /// Why.
        #[source]
        source: BadFilename,
    },
    /// It is a wheel of another project.
    #[error("`{text}` is not a wheel of {name}, but of {found}")]
    OtherProject {
        /// As asked, without credentials.
        text: String,
        /// Whose it should be.
        name: PackageName,
        /// Whose it is by its name.
        found: PackageName,
    },
    /// A form that is known and not supported.
    #[error("`{text}` has {what}, which is not supported")]
    Unsupported {
        /// As asked, without credentials.
        text: String,
        /// What it has.
        what: &'static str,
    },
    /// The path does not exist, or can not be looked at.
    #[error("`{}` can not be opened", path.display())]
    Path {
        /// The path.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The path is neither a file nor a folder.
    #[error("`{}` is neither a file nor a folder", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
}

impl SpecError {
    /// Returns the stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Wheel { .. } => Code::BadWheel,
            Self::OtherProject { .. } => Code::WrongName,
            _ => Code::BadSpec,
        }
    }

    /// Returns the reason behind it, where there is more to say.
    #[must_use]
    pub fn why(&self) -> Option<&'static str> {
        match self {
            Self::Repository { .. } => Some(
                "a repository is fetched by a program of its system in a worker, and of the systems of repositories git alone is spoken here",
            ),
            _ => None,
        }
    }

    /// Returns what to do about it, where there is something to do.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Repository { .. } => {
                Some("check it out and give the folder, or give the URL of an archive of it")
            }
            Self::Wheel { .. } => {
                Some("give it the name that it was made with: NAME-VERSION-PYTHON-ABI-PLATFORM.whl")
            }
            Self::OtherProject { .. } => {
                Some("write the name of the wheel's project before the `@`")
            }
            Self::Path { .. } => Some("a path has a slash in it or the ending of an archive"),
            Self::Requirement { .. } => {
                Some("write NAME==VERSION, NAME @ URL, a URL, ./FOLDER or ./ARCHIVE")
            }
            _ => None,
        }
    }
}
