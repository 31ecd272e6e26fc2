//! A slot: a worker that keeps an interpreter with its backend imported, and serves one build after the
//! other out of it. Between two builds it is a value that the pool holds.

mod lease;
mod moving;
mod pool;
mod visit;

use std::os::fd::OwnedFd;
use std::sync::{Arc, LazyLock};

use cache::Scratch;
use protocol::{Assignment, IsolationReport};

use super::conversation::Link;
use super::group::{Group, Parents};
use super::live::{Live, SessionMark};
use super::log::{Pipe, pipe_of};
use super::session::Ending;
use super::spawn::{Started, WorkerProgram, spawn};
use super::uid::UidLease;
use crate::executor::ExecuteError;
pub(crate) use lease::{Lease, Terms};
pub(super) use pool::{Pool, end_all};
pub(super) use visit::run;

/// Where a slot works, and as whom.
#[derive(Debug)]
pub(super) struct Place {
    scratch: Scratch,
    /// The folder of the rooms, in the scratch.
    folder: OwnedFd,
    uid: Option<Arc<UidLease>>,
}

/// What workers are started with.
#[derive(Clone)]
pub(super) struct Kit {
    pub(super) program: WorkerProgram,
    pub(super) live: Live,
    pub(super) parents: Arc<LazyLock<Parents>>,
}

/// A worker that waits for its next build.
pub(super) struct Slot {
    place: Place,
    link: Link,
    ending: Ending,
    log: Pipe,
    group: Arc<Group>,
    /// What its worker said that the kernel enforces; none before it was asked.
    report: Option<IsolationReport>,
    /// Whether a build was served.
    is_warm: bool,
    mark: SessionMark,
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Slot")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

impl Slot {
    /// Starts a worker, which is not told anything yet.
    fn spawn(place: Place, assignment: &Assignment, kit: &Kit) -> Result<Self, ExecuteError> {
        let mark = kit.live.session();
        let Started {
            child,
            pid,
            link,
            log,
        } = spawn(&kit.program, &kit.live, None)?;
        let log = log.ok_or(ExecuteError::OutOfTurn { said: "no log" })?;
        // Its own threads are none of a build's processes.
        let mut limits = assignment.limits.clone();
        limits.processes += assignment.slot.as_ref().map_or(0, protocol::Slot::tasks);
        let group = Group::around(pid, &kit.parents, place.scratch.name(), &limits);
        Ok(Self {
            place,
            link: Link::new(link),
            ending: Ending {
                child,
                pid,
                live: kit.live.clone(),
                reader: None,
            },
            log: pipe_of(log)?,
            group: Arc::new(group),
            report: None,
            is_warm: false,
            mark,
        })
    }

    /// Ends it, with all that is in it.
    async fn end(self) {
        let Self {
            place,
            link,
            ending,
            group,
            ..
        } = self;
        drop(link);
        drop(ending.finish().await);
        group.remove().await;
        let removed = tokio::task::spawn_blocking(move || place.scratch.remove()).await;
        if let Ok(Err(error)) = removed {
            tracing::warn!(%error, "the scratch of a slot stays behind");
        }
    }
}
