//! Why an entry is removed, in words.

use std::time::Duration;

/// Why an entry is removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It was asked for.
    Asked,
    /// It belongs to this project, which was asked for.
    OfProject(String),
    /// No place stands for this source any more.
    NoPlace,
    /// Its place stands for another source now.
    Superseded(String),
    /// Its base interpreter is gone.
    NoInterpreter,
    /// It leads to a wheel that is not there.
    Dangling,
    /// Its publication was cut short: no key leads to it.
    Keyless,
    /// The downloaded wheel that it is about is not there.
    NoWheel,
    /// Nobody waits for it.
    Unheld,
    /// Continuous integration keeps what was built, and fetches the rest faster than it restores it.
    FetchedAgain,
    /// It is made again from what was fetched.
    MadeAgain,
    /// It was not used for this long.
    Unused {
        /// How long.
        span: Duration,
    },
    /// It was used least recently, and everything together is larger than this.
    LeastRecent {
        /// Bytes.
        most: u64,
    },
    /// It is older than such things are kept.
    Old {
        /// How long they are kept.
        kept: Duration,
    },
    /// Newer ones of its kind fill what they may have.
    TooMuch {
        /// Bytes.
        most: u64,
    },
}

impl std::fmt::Display for Reason {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Asked => out.write_str("it was asked for"),
            Self::OfProject(project) => write!(out, "it belongs to {project}"),
            Self::NoPlace => out.write_str("no place stands for it any more"),
            Self::Superseded(label) => write!(out, "{label} is another source now"),
            Self::NoInterpreter => out.write_str("its interpreter is gone"),
            Self::Dangling => out.write_str("it leads to a wheel that is not there"),
            Self::Keyless => out.write_str("no key leads to it"),
            Self::NoWheel => out.write_str("its wheel is not there"),
            Self::Unheld => out.write_str("nobody holds it"),
            Self::FetchedAgain => out.write_str("it can be fetched again"),
            Self::MadeAgain => out.write_str("it is made again from what can be fetched"),
            Self::Unused { span } => write!(out, "not used for {}", days(*span)),
            Self::LeastRecent { most } => write!(
                out,
                "used least recently, and everything together is larger than {most} bytes"
            ),
            Self::Old { kept } => write!(out, "older than {}", days(*kept)),
            Self::TooMuch { most } => {
                write!(out, "newer ones fill the {most} bytes that they may have")
            }
        }
    }
}

fn days(span: Duration) -> String {
    let minutes = span.as_secs() / 60;
    match minutes {
        0 => format!("{} s", span.as_secs()),
        1..120 => format!("{minutes} min"),
        120..2880 => format!("{} h", minutes / 60),
        _ => format!("{} days", minutes / 1440),
    }
}
