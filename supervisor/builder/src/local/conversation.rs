//! What is said between the supervisor and a worker, as the supervisor hears it.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use protocol::{
    Claim, Denial, Enforcement, Event, Guarantee, HookReturn, IsolationReport, Listing, Namespaces,
    Order, PushDecoder, Trace, encode,
};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::UnixStream;
use tokio::time::{Instant, timeout_at};

use super::ended::Ended;
use super::heard::Heard;
use super::meter::Meter;
use super::outside;
use crate::executor::{Dialogue, Evidence, ExecuteError, Floor};
use crate::left_out::{Layer, stands};
use crate::record::Reuse;

/// How long an interpreter that is to stay may take to import its backend; its worker ends it earlier.
const IMPORT: Duration = Duration::from_secs(180);
/// How long a worker may take until it is confined.
const SET_UP: Duration = Duration::from_secs(30);

/// The talking half.
pub(super) struct Session {
    pub(super) link: Link,
    pub(super) dialogue: Dialogue,
    pub(super) floor: Floor,
    pub(super) watched: bool,
    pub(super) until: Instant,
    pub(super) allowed: Duration,
    pub(super) has_program: bool,
    pub(super) worker: u32,
    pub(super) namespaces: Namespaces,
    pub(super) heard: Heard,
    pub(super) meter: Arc<Meter>,
    /// What the build has of its interpreter.
    pub(super) reuse: Reuse,
    pub(super) gathered: Gathered,
}

/// What has been gathered so far.
#[derive(Default)]
pub(super) struct Gathered {
    report: Option<IsolationReport>,
    listing: Option<Listing>,
    refused: Option<(String, String)>,
    pub(super) returns: Vec<HookReturn>,
    denials: Vec<Denial>,
    traces: Vec<Trace>,
    pid: Option<u32>,
    pub(super) ready: bool,
    /// Whether the worker may serve another build.
    pub(super) survives: bool,
}

/// The supervisor's end of the link.
pub(super) struct Link {
    socket: UnixStream,
    decoder: PushDecoder,
}

impl Session {
    /// Begins with `first` and goes on to the worker's last word on the build.
    pub(super) async fn converse(
        &mut self,
        first: Order,
        with: Option<OwnedFd>,
    ) -> Result<Ended, ExecuteError> {
        match with {
            Some(descriptor) => self.link.hand(&first, descriptor).await?,
            None => self.link.say(&first).await?,
        }
        let confined_until = Instant::now() + SET_UP;
        loop {
            let (until, allowed, waiting) = if self.gathered.report.is_none() {
                (confined_until, SET_UP, "setting itself up")
            } else {
                (self.until, self.allowed, "building")
            };
            let Ok(event) = timeout_at(until, self.link.hear()).await else {
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
                    reuse: self.reuse,
                })));
            }
        }
    }

    /// Has the worker of a slot get ready for its first build; returns what it says of the kernel.
    pub(super) async fn set_up(&mut self, start: &Order) -> Result<IsolationReport, ExecuteError> {
        self.link.say(start).await?;
        let (mut allowed, mut report) = (SET_UP, None);
        let mut until = Instant::now() + allowed;
        loop {
            let Ok(event) = timeout_at(until, self.link.hear()).await else {
                return Err(ExecuteError::Silent {
                    seconds: allowed.as_secs(),
                    waiting: "setting itself up",
                });
            };
            match (event?, report.take()) {
                (Event::Confined(found), None) => {
                    (allowed, report) = (IMPORT, Some(found));
                    until = Instant::now() + allowed;
                }
                (Event::Rested, Some(report)) => return Ok(report),
                (Event::Faulted(fault), _) => return Err(ExecuteError::Fault(fault)),
                _ => {
                    return Err(ExecuteError::OutOfTurn {
                        said: "an event before `Rested`",
                    });
                }
            }
            self.heard.now();
        }
    }

    /// Takes what the worker says that the kernel enforces, if it is enough.
    pub(super) fn accept(&mut self, mut report: IsolationReport) -> Result<(), ExecuteError> {
        self.meter.group.complete(&mut report.guarantees);
        let reporting = report.guarantees.entry(Guarantee::Reporting);
        reporting.and_modify(|found| {
            if !self.watched && *found == Enforcement::Enforced {
                *found = Enforcement::Partial;
            }
        });
        if !self.floor.admits(&report) {
            return Err(ExecuteError::Floor {
                report: Box::new(report),
                floor: self.floor.clone(),
            });
        }
        self.gathered.report = Some(report);
        Ok(())
    }

    /// Takes one event; the claim if it was the last.
    async fn take(&mut self, event: Event) -> Result<Option<Claim>, ExecuteError> {
        let gathered = &mut self.gathered;
        match event {
            Event::Faulted(fault) => return Err(ExecuteError::Fault(fault)),
            Event::Confined(report) if gathered.report.is_none() => self.accept(report)?,
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
            Event::Built(claim) if gathered.ready => {
                gathered.survives = true;
                return Ok(Some(claim));
            }
            Event::Built(_) | Event::Rested => {
                return Err(ExecuteError::OutOfTurn { said: "Built" });
            }
            Event::Finished(claim) => return Ok(Some(claim)),
        }
        Ok(None)
    }

    /// Asks the dialogue what comes next and says it. A program without calls is left alone.
    async fn call(&mut self, last: Option<&HookReturn>) -> Result<(), ExecuteError> {
        match (self.dialogue)(last) {
            Some(call) => self.link.say(&Order::Call(call)).await,
            None if last.is_some() => self.link.say(&Order::End).await,
            None => Ok(()),
        }
    }
}

impl Link {
    /// Takes the end over.
    pub(super) fn new(socket: UnixStream) -> Self {
        Self {
            socket,
            decoder: PushDecoder::default(),
        }
    }

    /// Gives an order.
    pub(super) async fn say(&mut self, order: &Order) -> Result<(), ExecuteError> {
        let frame = encode(order).map_err(ExecuteError::Assignment)?;
        // A worker that is gone is noticed when it is heard.
        drop(self.socket.write_all(&frame).await);
        Ok(())
    }

    /// Gives an order, and a descriptor with its first byte.
    async fn hand(&mut self, order: &Order, descriptor: OwnedFd) -> Result<(), ExecuteError> {
        let frame = encode(order).map_err(ExecuteError::Assignment)?;
        let sent = self.socket.async_io(Interest::WRITABLE, || {
            let descriptors = [std::os::fd::AsFd::as_fd(&descriptor)];
            let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut message = SendAncillaryBuffer::new(&mut space);
            message.push(SendAncillaryMessage::ScmRights(&descriptors));
            let bytes = [std::io::IoSlice::new(&frame)];
            sendmsg(&self.socket, &bytes, &mut message, SendFlags::NOSIGNAL).map_err(Into::into)
        });
        // A worker that is gone is noticed when it is heard.
        let sent = sent.await.unwrap_or(frame.len());
        drop(self.socket.write_all(&frame[sent..]).await);
        Ok(())
    }

    /// Waits for an event.
    pub(super) async fn hear(&mut self) -> Result<Event, ExecuteError> {
        let mut buffer = vec![0; 32 * 1024];
        loop {
            if let Some(event) = self.decoder.take().map_err(ExecuteError::Garbage)? {
                return Ok(event);
            }
            match self.socket.read(&mut buffer).await {
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
