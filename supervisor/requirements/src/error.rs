//! Why a file that was handed to us is not taken. No text here shows the value of a variable or the
//! credentials of a URL.

use std::io;
use std::path::PathBuf;

use model::{Code, LinePlace};

/// A file can not be read, understood or used here.
#[derive(Debug, thiserror::Error)]
pub enum RequirementsError {
    /// It can not be read.
    #[error("could not read `{}`{}", file.display(), asked(asked_by.as_ref()))]
    Read {
        /// The file.
        file: PathBuf,
        /// The line that names it, if another file does.
        asked_by: Option<LinePlace>,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is of a kind that is not read.
    #[error("`{file}` is not read{}: {why}", asked(asked_by.as_ref()))]
    Kind {
        /// The file, without credentials.
        file: String,
        /// The line that names it, if another file does.
        asked_by: Option<LinePlace>,
        /// Why.
        why: String,
        /// What to do instead.
        fix: String,
    },
    /// Something in a line is not understood or not taken.
    #[error("{place}{}: {what}", at(*column))]
    Line {
        /// Where.
        place: LinePlace,
        /// The character of the line, counted from 1, if one can be named.
        column: Option<usize>,
        /// What is wrong.
        what: String,
        /// What to do about it.
        fix: Option<String>,
    },
    /// An editable requirement.
    #[error("{place}: `{text}` is an editable requirement, and a wheel is a copy")]
    Editable {
        /// Where.
        place: LinePlace,
        /// What it is, without credentials.
        text: String,
    },
    /// A file includes itself.
    #[error("{place}: `{}` includes itself: {}", file.display(), chain.join(" includes "))]
    Recursion {
        /// The line that closes the circle.
        place: LinePlace,
        /// The file.
        file: PathBuf,
        /// From the outermost file to it.
        chain: Vec<String>,
    },
    /// A lock is for other platforms or Pythons.
    #[error("{place}: {what}")]
    Elsewhere {
        /// Where it says so.
        place: LinePlace,
        /// What does not fit.
        what: String,
        /// What it is for.
        is_for: String,
    },
}

fn asked(by: Option<&LinePlace>) -> String {
    by.map_or_else(String::new, |place| format!(", which {place} names"))
}

fn at(column: Option<usize>) -> String {
    column.map_or_else(String::new, |column| format!(":{column}"))
}

impl RequirementsError {
    /// Something is wrong with a line.
    pub(crate) fn line(place: &LinePlace, what: impl Into<String>) -> Self {
        Self::Line {
            place: place.clone(),
            column: None,
            what: what.into(),
            fix: None,
        }
    }

    /// The same, with the character where it begins and what to do about it.
    pub(crate) fn with(self, column: Option<usize>, fix: Option<&str>) -> Self {
        match self {
            Self::Line { place, what, .. } => Self::Line {
                place,
                column,
                what,
                fix: fix.map(str::to_owned),
            },
            other => other,
        }
    }

    /// Returns the stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Editable { .. } => Code::Editable,
            Self::Elsewhere { .. } => Code::LockElsewhere,
            _ => Code::BadRequirements,
        }
    }

    /// Returns what to do about it, where there is something to do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Kind { fix, .. } => Some(fix.clone()),
            Self::Line { fix, .. } => fix.clone(),
            Self::Editable { .. } => {
                Some("drop the -e: the folder or repository is built as it is now".to_owned())
            }
            Self::Recursion { .. } => Some("take one of the lines out".to_owned()),
            Self::Elsewhere { .. } => {
                Some("name a Python that it is for with -p, or lock again for this one".to_owned())
            }
            Self::Read { .. } => None,
        }
    }

    /// Returns the reason behind it, where there is more to say.
    #[must_use]
    pub fn why(&self) -> Option<String> {
        match self {
            Self::Elsewhere { is_for, .. } => Some(format!("it is for {is_for}")),
            _ => None,
        }
    }
}
