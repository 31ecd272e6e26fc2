//! What can go wrong with an interpreter before anything is built with it.

use std::path::PathBuf;

use model::Code;

/// An interpreter could not be found, or does not answer as a Python does.
#[derive(Debug, thiserror::Error)]
pub enum InterpreterError {
    /// Nothing that was looked at is a usable Python.
    #[error("no usable Python was found; looked at: {}", list(looked))]
    NotFound {
        /// Each place, and why it was passed over.
        looked: Vec<String>,
    },
    /// The request is not a version, a name or a path.
    #[error("`{request}` does not name a Python: {reason}")]
    BadRequest {
        /// What was asked for.
        request: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A file or folder that was named outright can not be used.
    #[error("`{}` can not be used as a Python: {reason}", path.display())]
    Unusable {
        /// What was named.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The answers make no sense.
    #[error("`{}` did not answer as a Python does: {reason}", executable.display())]
    BadAnswer {
        /// Who was asked.
        executable: PathBuf,
        /// What is wrong with the answer.
        reason: String,
    },
    /// It is older than any that builds are made with.
    #[error("`{}` is Python {version}; 3.9 or newer is needed", executable.display())]
    TooOld {
        /// Who was asked.
        executable: PathBuf,
        /// Its version.
        version: String,
    },
    /// The facts could not be kept.
    #[error("could not keep the facts about `{}`", executable.display())]
    Remember {
        /// The interpreter.
        executable: PathBuf,
        /// Why.
        #[source]
        source: cache::CacheError,
    },
}

impl InterpreterError {
    /// Returns the stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::NotFound { .. } | Self::Unusable { .. } => Code::NoInterpreter,
            Self::BadRequest { .. } => Code::BadFlag,
            Self::BadAnswer { .. } | Self::TooOld { .. } => Code::BadInterpreter,
            Self::Remember { source, .. } => source.code(),
        }
    }
}

fn list(looked: &[String]) -> String {
    if looked.is_empty() {
        "nothing, PATH is empty".to_owned()
    } else {
        looked.join("; ")
    }
}
