//! The seam between deciding and doing: a job goes in, evidence comes out.
//!
//! One implementation runs workers on this host ([`crate::LocalExecutor`]); a remote one would take
//! the same job.

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

use cache::Scratch;
use futures::future::BoxFuture;
use model::Code;
use protocol::{
    Assignment, Claim, Denial, Fault, FrameError, Guarantee, HookCall, HookReturn, IsolationReport,
    Level, Listing, Trace,
};

use crate::limit::Stopped;
use crate::record::Reuse;

/// Decides the next call, given what the last hook returned (`None` at the start). `None` ends it.
pub type Dialogue = Box<dyn FnMut(Option<&HookReturn>) -> Option<HookCall> + Send>;

/// Takes the build's output line by line, neutralised.
pub type LineSink = Arc<dyn Fn(&str) + Send + Sync>;

/// One run of one worker.
pub struct Job {
    /// What the worker is told.
    pub assignment: Assignment,
    /// The scratch it works in; it is given back with the evidence, and removed if the run is
    /// abandoned.
    pub scratch: Scratch,
    /// What is asked of the program.
    pub dialogue: Dialogue,
    /// Below this nothing of a stranger's is touched.
    pub floor: Floor,
    /// The log file; made if missing, appended to.
    pub log: Option<PathBuf>,
    /// Who sees the lines live.
    pub lines: Option<LineSink>,
    /// What is taken out of every line.
    pub redactor: crate::redact::Redactor,
    /// Whether everything that should be watched is; if not, reporting is partial at most.
    pub watched: bool,
    /// What stands in the place of the log's pipe, and is the program's input as well, if it
    /// talks: nothing of it is kept.
    pub stream: Option<OwnedFd>,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Job")
            .field("scratch", &self.scratch.name())
            .finish_non_exhaustive()
    }
}

/// The least that is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Floor {
    /// The lowest level.
    pub level: Level,
    /// Guarantees that must be enforced.
    pub require: Vec<Guarantee>,
}

/// What a run left behind, as the supervisor saw it.
#[derive(Debug)]
pub struct Evidence {
    /// What the kernel enforced, as the worker reported it before anything foreign was touched.
    pub report: IsolationReport,
    /// What was unpacked.
    pub listing: Option<Listing>,
    /// Why the archive was refused: the guard's word and a sentence.
    pub refused: Option<(String, String)>,
    /// What the hooks returned, in order.
    pub returns: Vec<HookReturn>,
    /// What was refused to the build.
    pub denials: Vec<Denial>,
    /// What the build opened and started, if it was traced.
    pub traces: Vec<Trace>,
    /// The worker's last word.
    pub claim: Claim,
    /// The host's pid of the program was known to be this.
    pub pid: Option<u32>,
    /// What it had of its interpreter.
    pub reuse: Reuse,
}

/// Why a run gave no evidence.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// The worker could not be started.
    #[error("could not start the worker `{}`", program.display())]
    Spawn {
        /// The program.
        program: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The link or a pipe could not be made.
    #[error("could not {doing}")]
    Plumbing {
        /// What was being done.
        doing: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The assignment does not fit a frame.
    #[error("the assignment could not be sent")]
    Assignment(#[source] FrameError),
    /// The worker could not set itself up.
    #[error("the worker could not set itself up: {0}")]
    Fault(Fault),
    /// The worker sent what is no frame or no event.
    #[error("the worker sent something that is no message: {0}")]
    Garbage(#[source] FrameError),
    /// The link closed in the middle of a frame.
    #[error("the worker was cut off in the middle of a message ({status})")]
    Truncated {
        /// How its process ended.
        status: String,
    },
    /// The link closed before the last word.
    #[error("the worker vanished before its last word ({status})")]
    Vanished {
        /// How its process ended.
        status: String,
    },
    /// Nothing came in time.
    #[error("the worker was silent for {seconds} s while {waiting}")]
    Silent {
        /// How long.
        seconds: u64,
        /// What it should have said.
        waiting: &'static str,
    },
    /// A message that makes no sense at this point.
    #[error("the worker said `{said}` out of turn")]
    OutOfTurn {
        /// The message's name.
        said: &'static str,
    },
    /// The kernel says otherwise than the worker.
    #[error("the worker says that its program is confined, the kernel says: {found}")]
    Unconfined {
        /// What `/proc` showed.
        found: String,
    },
    /// Something of the build was alive after its worker had said that nothing is.
    #[error(
        "the worker said that nothing of its build is left, and {outlived} or more processes were alive; they were ended"
    )]
    Outlived {
        /// How many were found.
        outlived: usize,
    },
    /// The isolation reached is below what is asked.
    #[error("{}", missing(report, floor))]
    Floor {
        /// What was reached.
        report: Box<IsolationReport>,
        /// What was asked.
        floor: Floor,
    },
    /// A limit was reached.
    #[error("{}", .0.reached)]
    Limit(Box<Stopped>),
    /// The log could not be written.
    #[error("could not write the log `{}`", path.display())]
    Log {
        /// The log.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A slot was of no use before the build's first call: it gets an interpreter of its own.
    #[error("the interpreter that was kept is of no use: {0}")]
    Slot(#[source] Box<ExecuteError>),
    /// The rooms of a build in a slot are not where they were.
    #[error("could not move the rooms of the build")]
    Rooms(#[source] std::io::Error),
    /// The run was abandoned.
    #[error("interrupted")]
    Cancelled,
}

fn missing(report: &IsolationReport, floor: &Floor) -> String {
    if report.level < floor.level {
        return format!(
            "isolation `{}` was asked for, this host gives `{}`",
            floor.level, report.level
        );
    }
    let weak: Vec<_> = floor.missing(report).map(Guarantee::word).collect();
    format!("not enforced here: {}", weak.join(", "))
}

impl Floor {
    /// Whether `report` is enough.
    #[must_use]
    pub fn admits(&self, report: &IsolationReport) -> bool {
        report.level >= self.level && self.missing(report).next().is_none()
    }

    /// The same level without the guarantees, for a worker that runs no stranger's program.
    pub(crate) fn without_guarantees(&self) -> Self {
        Self {
            level: self.level,
            require: Vec::new(),
        }
    }

    /// The required guarantees that are not enforced.
    fn missing<'a>(&'a self, report: &'a IsolationReport) -> impl Iterator<Item = Guarantee> + 'a {
        self.require
            .iter()
            .copied()
            .filter(|one| report.guarantees.get(one) != Some(&protocol::Enforcement::Enforced))
    }
}

impl ExecuteError {
    /// Adds how the worker's process ended, where that is told.
    pub(crate) fn with_status(self, status: String) -> Self {
        match self {
            Self::Vanished { .. } => Self::Vanished { status },
            Self::Truncated { .. } => Self::Truncated { status },
            other => other,
        }
    }

    /// Returns the stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        use protocol::Step;
        match self {
            Self::Floor { .. } => Code::Isolation,
            Self::Fault(fault) => match fault.step {
                Step::SelfTest | Step::Probe => Code::SelfTest,
                Step::Landlock | Step::Filter | Step::Namespaces | Step::Privileges | Step::Uid => {
                    Code::Isolation
                }
                Step::Assignment
                | Step::Session
                | Step::Limits
                | Step::Exec
                | Step::Reaper
                | Step::Slot => Code::WorkerFault,
            },
            Self::Unconfined { .. } | Self::Outlived { .. } => Code::SelfTest,
            Self::Limit(stopped) => stopped.reached.code(),
            Self::Log { source, .. } if crate::error::is_full(source) => Code::DiskFull,
            Self::Log { .. } => Code::Io,
            Self::Cancelled => Code::Interrupted,
            Self::Spawn { .. }
            | Self::Plumbing { .. }
            | Self::Assignment(_)
            | Self::Garbage(_)
            | Self::Truncated { .. }
            | Self::Vanished { .. }
            | Self::Silent { .. }
            | Self::Slot(_)
            | Self::Rooms(_)
            | Self::OutOfTurn { .. } => Code::WorkerLost,
        }
    }
}

/// Runs jobs.
pub trait Executor: Send + Sync {
    /// Runs one worker to its end. Dropping the future ends the worker; its scratch is removed once
    /// its domain is empty.
    fn execute(&self, job: Job) -> BoxFuture<'_, Result<(Evidence, Scratch), ExecuteError>>;
}
