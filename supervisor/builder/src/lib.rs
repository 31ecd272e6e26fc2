//! Make: the pipeline from a request to a wheel in the cache.
//!
//! `pipeline/` is the corridor; `local/` runs workers on this host; `inspect/` judges what a build
//! left; `hook/` speaks PEP 517. Nothing here is global: places, policy and limits are parameters.

mod approval;
mod assignment;
mod build_id;
mod canary;
mod check;
mod diagnosis;
mod error;
mod executor;
mod facts;
mod failure;
mod furnished;
mod git;
mod hand_over;
mod hash_book;
mod hints;
mod hook;
mod hook_failure;
mod inspect;
mod jobs;
mod kept_build;
mod key;
mod left_out;
mod limit;
mod local;
mod lock;
mod match_runtime;
mod outcome;
mod pipeline;
mod plan;
mod proposal;
pub mod record;
mod redact;
mod reenter;
mod refusal;
mod settings;
mod shelf;
mod summary;
mod unpacked;
mod wants;
mod watch;

pub use approval::Approval;
pub use build_id::BuildId;
pub use canary::{DECOY_PRINTED, DECOY_READ, Token};
pub use check::check_log;
pub use environment::Because;
pub use error::BuildError;
pub use executor::{Dialogue, Evidence, ExecuteError, Executor, Floor, Job, LineSink};
pub use facts::ask_interpreter;
pub use git::{GitError, check_pointer as check_git_pointer, check_repository};
pub use hash_book::HashBook;
pub use hints::Hints;
pub use hook::Goal;
pub use hook_failure::{HookFailure, HookProblem};
pub use inspect::{
    BadSdist, BadWheel, Examined, Expected, Inspected, InspectedSdist, OutputRefused, Workers,
    examine, inspect, inspect_sdist, open_file, take_output,
};
pub use jobs::{Sharing, processors};
pub use kept_build::KeptBuild;
#[cfg(feature = "leave-out")]
pub use left_out::leave_out;
pub use limit::{Known, Reached, Stopped};
pub use local::{Host, LocalExecutor, WorkerProgram, neutralised, unescaped};
pub use lock::{BuildLock, LockError};
pub use match_runtime::MatchRuntime;
pub use outcome::{Built, Described, Failure, MetadataOrigin, Origin, Sdist, Wheel};
pub use pipeline::{
    Compiled, Mode, build, carry_out, compile_bytecode, fetch, metadata, plan, wheels,
};
pub use plan::{Fetched, FetchedKind, Plan, Planned, WouldBe};
pub use redact::Redactor;
pub use reenter::{Visit, Visited};
pub use refusal::{Fix, Refusal};
pub use settings::{Installed, Overrides, Settings};
pub use shelf::{forget, records};
pub use summary::BuildSummary;
pub use wants::Wants;
pub use watch::{BuildEvent, Watcher};
