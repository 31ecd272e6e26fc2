//! One conversation with one worker, from the first order to the empty domain.
//!
//! The session runs in a task of its own, which owns the scratch: whoever waits for it may go away
//! at any moment, and the worker is still ended before its scratch is removed.

use std::sync::Arc;
use std::time::Duration;

use cache::Scratch;
use protocol::{Enforcement, Event, Guarantee, Namespaces, Order, PushDecoder, encode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::process::Child;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};

use super::ended::Ended;
use super::group::{Group, Parents};
use super::heard::Heard;
use super::live::Live;
use super::log::LogReader;
use super::meter::Meter;
use super::outside;
use super::spawn::{Started, WorkerProgram, spawn};
use super::usage::Rooms;
use crate::executor::{Dialogue, Evidence, ExecuteError, Floor, Job};
use crate::left_out::{Layer, stands};
use crate::limit::Reached;

/// How long a worker may take beyond what its own deadline allows.
const GRACE: Duration = Duration::from_secs(20);
/// How long a worker may take until it is confined.
const SET_UP: Duration = Duration::from_secs(30);

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
    let reader = pipe.map(|pipe| {
        let reader = LogReader {
            pipe,
            path: log,
            lines,
            redactor,
            limit,
            heard: heard.clone(),
        };
        tokio::spawn(reader.run())
    });
    let mut ending = Ending {
        child,
        pid,
        live,
        reader,
    };
    // Before the first order: what the worker starts is born in its groups.
    let groups = Group::around(pid, parents, scratch.name(), &assignment.limits);
    let meter = Arc::new(Meter::new(&assignment, rooms, pid, groups, heard.clone()));
    let mut session = Session {
        link,
        decoder: PushDecoder::default(),
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
        gathered: Gathered::default(),
    };
    let limits = assignment.limits.clone();
    meter.group.refuses_before(&mut assignment.limits);
    let start = Order::Start(Box::new(assignment));
    let ended = tokio::select! {
        outcome = session.converse(start) => outcome.unwrap_or_else(Ended::Failed),
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

/// The talking half.
struct Session {
    link: UnixStream,
    decoder: PushDecoder,
    dialogue: Dialogue,
    floor: Floor,
    watched: bool,
    until: Instant,
    allowed: Duration,
    has_program: bool,
    worker: u32,
    namespaces: Namespaces,
    heard: Heard,
    meter: Arc<Meter>,
    gathered: Gathered,
}

/// What has been gathered so far.
#[derive(Default)]
struct Gathered {
    report: Option<protocol::IsolationReport>,
    listing: Option<protocol::Listing>,
    refused: Option<(String, String)>,
    returns: Vec<protocol::HookReturn>,
    denials: Vec<protocol::Denial>,
    traces: Vec<protocol::Trace>,
    pid: Option<u32>,
    ready: bool,
}

impl Session {
    async fn converse(&mut self, start: Order) -> Result<Ended, ExecuteError> {
        self.say(&start).await?;
        let confined_until = Instant::now() + SET_UP;
        loop {
            let (until, allowed, waiting) = if self.gathered.report.is_none() {
                (confined_until, SET_UP, "setting itself up")
            } else {
                (self.until, self.allowed, "building")
            };
            let Ok(event) = timeout_at(until, self.hear()).await else {
                let seconds = allowed.as_secs();
                return Err(ExecuteError::Silent { seconds, waiting });
            };
            let event = event?;
            self.heard.now();
            // A hook that was refused a process and fails of it may be over before anybody looks; what it
            // has started is still there.
            if matches!(event, Event::Returned(_))
                && let Some(reached) = self.meter.returned().await
            {
                return Ok(Ended::Limit(reached));
            }
            if let Some(claim) = self.take(event).await? {
                let gathered = &mut self.gathered;
                let report = gathered
                    .report
                    .take()
                    .ok_or(ExecuteError::OutOfTurn { said: "Finished" })?;
                return Ok(Ended::Well(Box::new(Evidence {
                    report,
                    listing: gathered.listing.take(),
                    refused: gathered.refused.take(),
                    returns: gathered.returns.clone(),
                    denials: std::mem::take(&mut gathered.denials),
                    traces: std::mem::take(&mut gathered.traces),
                    claim,
                    pid: gathered.pid,
                })));
            }
        }
    }

    /// Takes one event; the claim if it was the last.
    async fn take(&mut self, event: Event) -> Result<Option<protocol::Claim>, ExecuteError> {
        let gathered = &mut self.gathered;
        match event {
            Event::Faulted(fault) => return Err(ExecuteError::Fault(fault)),
            Event::Confined(mut report) if gathered.report.is_none() => {
                self.meter.group.complete(&mut report.guarantees);
                let reporting = report.guarantees.entry(Guarantee::Reporting);
                reporting.and_modify(|found| {
                    if !self.watched && *found == Enforcement::Enforced {
                        *found = Enforcement::Partial;
                    }
                });
                if !self.floor.admits(&report) {
                    let floor = self.floor.clone();
                    return Err(ExecuteError::Floor {
                        report: Box::new(report),
                        floor,
                    });
                }
                gathered.report = Some(report);
            }
            _ if gathered.report.is_none() => {
                return Err(ExecuteError::OutOfTurn {
                    said: "an event before `Confined`",
                });
            }
            Event::Confined(_) => return Err(ExecuteError::OutOfTurn { said: "Confined" }),
            Event::Unpacked(listing) => gathered.listing = Some(listing),
            Event::Refused { rule, detail } => gathered.refused = Some((rule, detail)),
            Event::Ready { pid } => {
                if gathered.ready || !self.has_program {
                    return Err(ExecuteError::OutOfTurn { said: "Ready" });
                }
                let found = outside::weakness(self.worker, self.namespaces);
                if let Some(found) = found.filter(|_| stands(Layer::Supervisor)) {
                    return Err(ExecuteError::Unconfined { found });
                }
                gathered.ready = true;
                gathered.pid = pid;
                self.call(None).await?;
            }
            Event::Returned(returned) => {
                if !gathered.ready || gathered.returns.len() > 16 {
                    return Err(ExecuteError::OutOfTurn { said: "Returned" });
                }
                self.call(Some(&returned)).await?;
                self.gathered.returns.push(returned);
            }
            Event::Denied(denial) => {
                if gathered.denials.len() < 1000 {
                    gathered.denials.push(denial);
                }
            }
            Event::Traced(trace) => {
                if gathered.traces.len() < 2000 {
                    gathered.traces.push(trace);
                }
            }
            Event::Finished(claim) => return Ok(Some(claim)),
        }
        Ok(None)
    }

    /// Asks the dialogue what comes next and says it. A program without calls is left alone.
    async fn call(&mut self, last: Option<&protocol::HookReturn>) -> Result<(), ExecuteError> {
        match (self.dialogue)(last) {
            Some(call) => self.say(&Order::Call(call)).await,
            None if last.is_some() => self.say(&Order::End).await,
            None => Ok(()),
        }
    }

    async fn say(&mut self, order: &Order) -> Result<(), ExecuteError> {
        let frame = encode(order).map_err(ExecuteError::Assignment)?;
        // A worker that is gone is noticed when it is heard.
        drop(self.link.write_all(&frame).await);
        Ok(())
    }

    async fn hear(&mut self) -> Result<Event, ExecuteError> {
        let mut buffer = vec![0; 32 * 1024];
        loop {
            if let Some(event) = self.decoder.take().map_err(ExecuteError::Garbage)? {
                return Ok(event);
            }
            match self.link.read(&mut buffer).await {
                Ok(0) | Err(_) => {
                    let status = String::new();
                    return Err(if self.decoder.holds_part() {
                        ExecuteError::Truncated { status }
                    } else {
                        ExecuteError::Vanished { status }
                    });
                }
                Ok(got) => self.decoder.push(&buffer[..got]),
            }
        }
    }
}

/// The half that makes sure that nothing is left.
struct Ending {
    child: Child,
    pid: u32,
    live: Live,
    reader: Option<JoinHandle<Result<Option<Reached>, ExecuteError>>>,
}

impl Ending {
    /// Resolves if the log fails or grows too large; never if it ends well.
    async fn log_ended(&mut self) -> Ended {
        if let Some(reader) = &mut self.reader {
            let outcome = reader.await;
            self.reader = None;
            match outcome {
                Ok(Err(error)) => return Ended::Failed(error),
                Ok(Ok(Some(reached))) => return Ended::Limit(reached),
                Ok(Ok(None)) | Err(_) => {}
            }
        }
        std::future::pending().await
    }

    /// Waits for the worker, ends it if it does not end by itself, and whatever it left. Returns how it
    /// ended, and how many processes outlived it: whatever it says, nobody takes its word for that.
    async fn finish(mut self) -> (String, usize) {
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
