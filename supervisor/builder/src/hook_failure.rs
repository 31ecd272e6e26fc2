//! A hook that failed: what it did, what it was refused, and which code that makes.

use model::Code;
use protocol::Hook;

/// A hook that did not do what it has to.
#[derive(Clone, Debug)]
pub struct HookFailure {
    /// Which hook.
    pub hook: Hook,
    /// Of which backend.
    pub backend: String,
    /// How long it ran.
    pub elapsed_ms: u64,
    /// What is wrong.
    pub problem: HookProblem,
    /// What was refused to the build before it failed.
    pub denials: Vec<protocol::Denial>,
    /// What it would have fetched.
    pub wants: crate::Wants,
    /// What it lacked, as its log tells.
    pub hints: crate::Hints,
    /// What held while it ran.
    pub isolation: protocol::IsolationReport,
    /// Whether it was branched off from an interpreter that others share.
    pub shared: bool,
    /// What it opened and started, if it was traced.
    pub traces: Vec<protocol::Trace>,
    /// Files and programs that it was refused, the decisive ones first, if it was traced.
    pub refusals: Vec<crate::Refusal>,
    /// What came of it when it was run once more, where that was something else.
    pub again: Option<String>,
}

/// What is wrong with a hook.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HookProblem {
    /// The backend can not be imported.
    #[error("the build backend could not be imported: {message}")]
    NoBackend {
        /// The import error.
        message: String,
        /// The module that is missing, if it is not the backend itself.
        module: Option<String>,
    },
    /// The backend has no such hook.
    #[error("the build backend has no hook of this name")]
    NoHook,
    /// It raised.
    #[error("the build backend failed: {kind}: {message}")]
    Raised {
        /// The exception's class.
        kind: String,
        /// Its message.
        message: String,
        /// The module that an `ImportError` missed.
        module: Option<String>,
    },
    /// It called `sys.exit`.
    #[error("the build backend called sys.exit({0})")]
    Exited(String),
    /// Its process ended without a result.
    #[error("the build backend's process ended without a result: {how}")]
    Died {
        /// How, in words.
        how: String,
        /// The signal that ended it, if one did.
        signal: Option<i32>,
    },
    /// It returned something else than PEP 517 wants.
    #[error("the hook returned {0}, which is not what PEP 517 wants")]
    Returned(String),
    /// Its result file is missing or is not what the Python side writes.
    #[error("{0}")]
    Unreadable(&'static str),
}

impl HookProblem {
    /// Returns the module that an import missed.
    #[must_use]
    pub fn module(&self) -> Option<&str> {
        match self {
            Self::NoBackend { module, .. } | Self::Raised { module, .. } => module.as_deref(),
            _ => None,
        }
    }
}

impl HookFailure {
    /// Returns the stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match &self.problem {
            _ if self.decisive().next().is_some() => Code::DeniedFile,
            HookProblem::NoBackend { .. } => Code::BackendMissing,
            HookProblem::NoHook | HookProblem::Returned(_) | HookProblem::Unreadable(_) => {
                Code::HookResult
            }
            HookProblem::Died { .. } => Code::BackendDied,
            HookProblem::Raised { .. } | HookProblem::Exited(_) if self.wanted_network() => {
                Code::DeniedNetwork
            }
            HookProblem::Raised { .. } | HookProblem::Exited(_) => Code::Backend,
        }
    }

    /// The refusals that it named when it failed.
    pub fn decisive(&self) -> impl Iterator<Item = &crate::Refusal> {
        self.refusals.iter().filter(|refusal| refusal.decisive)
    }

    /// Whether the build was refused the network before it failed.
    #[must_use]
    pub fn wanted_network(&self) -> bool {
        self.denials.iter().any(|denial| {
            denial.what == "socket" && denial.target.starts_with("inet") || {
                denial.what == "connect" && !denial.target.starts_with("unix")
            }
        })
    }
}
