//! One conversation with one worker, from the first order to the empty domain.
//!
//! The session runs in a task of its own, which owns the scratch: whoever waits for it may go away
//! at any moment, and the worker is still ended before its scratch is removed.

use std::sync::Arc;
use std::time::Duration;

use cache::Scratch;
use protocol::Order;
use tokio::process::Child;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::conversation::{Gathered, Link, Session};
use super::ended::Ended;
use super::group::{Group, Parents};
use super::heard::Heard;
use super::live::Live;
use super::log::{LogOutcome, LogReader, pipe_of};
use super::meter::Meter;
use super::spawn::{Started, WorkerProgram, spawn};
use super::usage::Rooms;
use crate::executor::{Evidence, ExecuteError, Job};
use crate::record::Reuse;

/// How long a worker may take beyond what its own deadline allows.
pub(super) const GRACE: Duration = Duration::from_secs(20);

/// Runs `job` with `program`; ends early if `abandoned` resolves (also when its sender is dropped).
pub(super) async fn run(
    job: Job,
    program: WorkerProgram,
    live: Live,
    parents: &Parents,
    abandoned: oneshot::Receiver<()>,
) -> Result<(Evidence, Scratch), ExecuteError> {
    let _mark = live.session();
    let Job {
        mut assignment,
        scratch,
        dialogue,
        floor,
        log,
        lines,
        redactor,
        watched,
        stream,
    } = job;
    let limit = assignment.limits.log_bytes;
    let heard = Heard::new();
    let allowed = Duration::from_millis(assignment.limits.wall_ms) + GRACE;
    let rooms = Rooms::open(scratch.dir(), &assignment.rooms.writable).map_err(|source| {
        let doing = "open the rooms of the scratch";
        ExecuteError::Plumbing { doing, source }
    })?;
    let Started {
        child,
        pid,
        link,
        log: pipe,
    } = spawn(&program, &live, stream)?;
    let pipe = pipe.map(pipe_of).transpose()?;
    let reader = pipe.map(|pipe| {
        let reader = LogReader {
            pipe,
            path: log,
            lines,
            redactor,
            limit,
            heard: heard.clone(),
        };
        tokio::spawn(reader.run(std::future::pending()))
    });
    let mut ending = Ending {
        child,
        pid,
        live,
        reader,
    };
    // Before the first order: what the worker starts is born in its groups.
    let groups = Group::around(pid, parents, scratch.name(), &assignment.limits).into();
    let meter = Arc::new(Meter::new(&assignment, rooms, pid, groups, heard.clone()));
    let mut session = Session {
        link: Link::new(link),
        dialogue,
        floor,
        watched,
        until: Instant::now() + allowed,
        allowed,
        has_program: assignment.program.is_some(),
        worker: pid,
        namespaces: assignment.confinement.namespaces,
        heard,
        meter: Arc::clone(&meter),
        reuse: Reuse::Own,
        gathered: Gathered::default(),
    };
    let limits = assignment.limits.clone();
    meter.group.refuses_before(&mut assignment.limits);
    let start = Order::Start(Box::new(assignment));
    let ended = tokio::select! {
        outcome = session.converse(start, None) => outcome.unwrap_or_else(Ended::Failed),
        reached = Arc::clone(&meter).reached() => Ended::Limit(reached),
        ended = ending.log_ended() => ended,
        _ = abandoned => Ended::Failed(ExecuteError::Cancelled),
    };
    // Closing the link is the order to end for a worker that still runs.
    let returns = std::mem::take(&mut session.gathered.returns);
    drop(session);
    let (status, outlived) = ending.finish().await;
    let ended = ended
        .unless_outlived(outlived)
        .judged(&meter, &limits)
        .await;
    meter.group.remove().await;
    ended.told(returns, scratch, status)
}

/// The half that makes sure that nothing is left.
pub(super) struct Ending {
    pub(super) child: Child,
    pub(super) pid: u32,
    pub(super) live: Live,
    pub(super) reader: Option<JoinHandle<LogOutcome>>,
}

impl Ending {
    /// Resolves if the log fails or grows too large; never if it ends well.
    pub(super) async fn log_ended(&mut self) -> Ended {
        if let Some(reader) = &mut self.reader {
            let outcome = reader.await;
            self.reader = None;
            match outcome {
                Ok((Err(error), _)) => return Ended::Failed(error),
                Ok((Ok(Some(reached)), _)) => return Ended::Limit(reached),
                Ok((Ok(None), _)) | Err(_) => {}
            }
        }
        std::future::pending().await
    }

    /// Waits for the worker, ends it if it does not end by itself, and whatever it left. Returns how it
    /// ended, and how many processes outlived it: whatever it says, nobody takes its word for that.
    pub(super) async fn finish(mut self) -> (String, usize) {
        let status = match timeout(GRACE, self.child.wait()).await {
            Ok(Ok(status)) => status.to_string(),
            Ok(Err(error)) => error.to_string(),
            Err(_) => {
                drop(self.child.start_kill());
                drop(self.child.wait().await);
                "it did not end and was killed".to_owned()
            }
        };
        let live = self.live.clone();
        let pid = self.pid;
        let outlived = tokio::task::spawn_blocking(move || live.lock().leave(pid)).await;
        let outlived = outlived.unwrap_or(1);
        if outlived > 0 {
            tracing::warn!(outlived, "ended processes that outlived their reaper");
        }
        if let Some(reader) = self.reader.take() {
            // Every writer is gone; the reader ends as soon as it has read what is left.
            drop(timeout(GRACE, reader).await);
        }
        (status, outlived)
    }
}
