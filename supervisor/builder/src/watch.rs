//! Progress as a stream of events that a terminal, a report and a page consume alike.

use std::path::PathBuf;

use model::Code;

use crate::outcome::Origin;

/// Hears of everything that goes on.
pub trait Watcher: Send + Sync {
    /// Takes one event; must not block.
    fn event(&self, event: &BuildEvent);
}

/// Something happened. Labels are for people, free of control characters and credentials.
#[derive(Clone, Debug)]
pub enum BuildEvent {
    /// Work on a request began.
    Started {
        /// What was asked for.
        spec: String,
    },
    /// Bytes arrive.
    Fetching {
        /// The file.
        label: String,
        /// Bytes so far.
        bytes: u64,
        /// Bytes in all, where the server says.
        of: Option<u64>,
    },
    /// A file is there.
    Fetched {
        /// The file.
        label: String,
    },
    /// What was asked for is being resolved, with all that it needs.
    Planning {
        /// What was asked for.
        label: String,
    },
    /// Build requirements are being resolved.
    Resolving {
        /// Whose.
        label: String,
    },
    /// A build environment is being made.
    Preparing {
        /// Whose.
        label: String,
        /// How many packages it holds.
        packages: usize,
    },
    /// A build runs.
    Building {
        /// What.
        label: String,
        /// Its id.
        build: String,
        /// The stage: `unpack`, a hook's name, `check`.
        stage: &'static str,
    },
    /// A line of a build's output, neutralised.
    Output {
        /// The build's id.
        build: String,
        /// The line.
        line: String,
    },
    /// Something worth knowing that is no error.
    Note {
        /// What it is about.
        label: String,
        /// The note.
        text: String,
    },
    /// A traced build is done, and this policy would have been enough for it.
    Proposed {
        /// What was built.
        label: String,
        /// The policy's file.
        path: PathBuf,
        /// The policy.
        text: String,
    },
    /// A lock is held by another process.
    Waiting {
        /// Who waits.
        label: String,
        /// For what.
        what: String,
    },
    /// A request is done.
    Finished {
        /// What.
        label: String,
        /// Where the wheel came from.
        origin: Origin,
        /// Seconds.
        seconds: f64,
    },
    /// A request failed.
    Failed {
        /// What.
        label: String,
        /// The code.
        code: Code,
    },
}
