//! One build in a slot: its rooms in, the build, its rooms out; and whether the slot may stay.

use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use cache::Scratch;
use protocol::{Event, IsolationReport, Limits, Order, SlotBuild, Unpack};
use rustix::fs::{Mode, OFlags, open};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use super::moving::Moving;
use super::{Kit, Place, Slot};
use crate::assignment::ROOMS;
use crate::executor::{Evidence, ExecuteError, Job};
use crate::hook::{HookOutcome, read};
use crate::local::conversation::{Gathered, Link, Session};
use crate::local::ended::Ended;
use crate::local::heard::Heard;
use crate::local::live::SessionMark;
use crate::local::log::{LogReader, Pipe};
use crate::local::meter::Meter;
use crate::local::session::{Ending, GRACE};
use crate::local::usage::Rooms;
use crate::record::Reuse;

/// What comes of a visit: of the build, and the slot if it may stay.
type Parted = (Result<(Evidence, Scratch), ExecuteError>, Option<Box<Slot>>);

/// Runs `job` in a slot; the slot comes back if it may serve another build. Fails with
/// [`ExecuteError::Slot`] where the build was not called yet and may be run by itself.
pub(in crate::local) async fn run(
    mut job: Job,
    slot: Result<Box<Slot>, Place>,
    kit: &Kit,
    abandoned: oneshot::Receiver<()>,
) -> Parted {
    let unfit = |source| ExecuteError::Slot(Box::new(source));
    let source = job.assignment.unpack.take();
    let baggage = match Baggage::of(&job.scratch, source) {
        Ok(baggage) => baggage,
        Err(error) => return (Err(unfit(error)), slot.ok()),
    };
    let slot = match slot {
        Ok(slot) => Ok(*slot),
        Err(place) => Slot::spawn(place, &job.assignment, kit),
    };
    match slot {
        Ok(slot) => {
            let (mut visit, start) = Visit::begin(slot, job, baggage);
            let ended = visit.build(start, abandoned).await;
            visit.part(ended).await
        }
        Err(error) => (Err(unfit(error)), None),
    }
}

/// What a build brings, opened before anything of it runs.
struct Baggage {
    moving: Moving,
    /// The same rooms, to be counted wherever they are.
    rooms: Rooms,
    /// The archive, with what is to become of it.
    source: Option<(Unpack, OwnedFd)>,
}

impl Baggage {
    fn of(scratch: &Scratch, source: Option<Unpack>) -> Result<Self, ExecuteError> {
        let names: Vec<_> = ROOMS.iter().map(char::to_string).collect();
        Ok(Self {
            rooms: Rooms::open(scratch.dir(), &names).map_err(ExecuteError::Rooms)?,
            moving: Moving::hold(scratch.dir()).map_err(ExecuteError::Rooms)?,
            source: source.map(opened).transpose()?,
        })
    }
}

/// Opens the archive of an order, which goes over the link.
fn opened(order: Unpack) -> Result<(Unpack, OwnedFd), ExecuteError> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match open(order.archive.as_path(), flags, Mode::empty()) {
        Ok(archive) => Ok((order, archive)),
        Err(errno) => Err(ExecuteError::Plumbing {
            doing: "open the archive",
            source: errno.into(),
        }),
    }
}

/// A build in a slot.
struct Visit {
    place: Place,
    ending: Ending,
    session: Session,
    meter: Arc<Meter>,
    /// Tells the reader of the log that the build is over.
    over: oneshot::Sender<()>,
    report: Option<IsolationReport>,
    limits: Limits,
    mark: SessionMark,
    scratch: Scratch,
    moving: Moving,
    source: Option<(Unpack, OwnedFd)>,
}

impl Visit {
    /// Begins to watch; nothing is said yet but what a new slot is to be told first.
    fn begin(slot: Slot, job: Job, baggage: Baggage) -> (Self, Order) {
        let Slot { ending, group, .. } = slot;
        let mut ending = ending;
        let heard = Heard::new();
        let limits = job.assignment.limits.clone();
        let rooms = baggage.rooms;
        let meter = Meter::new(&job.assignment, rooms, ending.pid, group, heard.clone());
        let meter = Arc::new(meter);
        let (over, is_over) = oneshot::channel::<()>();
        let reader = LogReader {
            pipe: slot.log,
            path: job.log,
            lines: job.lines,
            redactor: job.redactor,
            limit: limits.log_bytes,
            heard: heard.clone(),
        };
        let reader = reader.run(async move { drop(is_over.await) });
        ending.reader = Some(tokio::spawn(reader));
        let allowed = Duration::from_millis(limits.wall_ms) + GRACE;
        let session = Session {
            link: slot.link,
            dialogue: job.dialogue,
            floor: job.floor,
            watched: job.watched,
            until: Instant::now() + allowed,
            allowed,
            has_program: true,
            worker: ending.pid,
            namespaces: job.assignment.confinement.namespaces,
            heard,
            meter: Arc::clone(&meter),
            reuse: if slot.is_warm {
                Reuse::Warm
            } else {
                Reuse::Own
            },
            gathered: Gathered::default(),
        };
        let visit = Self {
            place: slot.place,
            ending,
            session,
            meter,
            over,
            report: slot.report,
            limits,
            mark: slot.mark,
            scratch: job.scratch,
            moving: baggage.moving,
            source: baggage.source,
        };
        let mut assignment = job.assignment;
        // What the build is held to is counted by the limits as they were given.
        visit.meter.group.refuses_before(&mut assignment.limits);
        (visit, Order::Start(Box::new(assignment)))
    }

    /// Has the build built, until it is over, a limit is reached or nobody wants it any more.
    async fn build(&mut self, start: Order, abandoned: oneshot::Receiver<()>) -> Ended {
        let reached = Arc::clone(&self.meter).reached();
        let (session, ending) = (&mut self.session, &mut self.ending);
        let talk = async {
            let report = match &self.report {
                Some(report) => report.clone(),
                None => self.report.insert(session.set_up(&start).await?).clone(),
            };
            session.accept(report)?;
            let uid = self.place.uid.as_ref().map(|lease| lease.uid());
            let folder = self.place.folder.as_fd();
            let entered = self.moving.enter(self.scratch.dir(), folder, uid);
            entered.map_err(ExecuteError::Rooms)?;
            session.until = Instant::now() + session.allowed;
            let (unpack, archive) = self.source.take().unzip();
            let order = Order::Build(SlotBuild { unpack });
            session.converse(order, archive).await
        };
        tokio::select! {
            outcome = talk => outcome.unwrap_or_else(Ended::Failed),
            reached = reached => Ended::Limit(reached),
            ended = ending.log_ended() => ended,
            _ = abandoned => Ended::Failed(ExecuteError::Cancelled),
        }
    }

    /// Parts the build from its slot, or ends both.
    async fn part(mut self, ended: Ended) -> Parted {
        let gathered = std::mem::take(&mut self.session.gathered);
        // A build that fails ends its slot.
        let stays = gathered.survives && gathered.returns.iter().all(|one| is_well(&read(one)));
        let (ended, log) = if stays {
            self.end_log(ended).await
        } else {
            (ended, None)
        };
        if let (Ended::Well(_), Some(log)) = (&ended, log)
            && self.moves_out().is_ok_and(|is_vacant| is_vacant)
            && rests(&mut self.session.link).await
        {
            let slot = Slot {
                place: self.place,
                link: self.session.link,
                ending: self.ending,
                log,
                group: Arc::clone(&self.meter.group),
                report: self.report,
                is_warm: true,
                mark: self.mark,
            };
            let told = ended.told(gathered.returns, self.scratch, String::new());
            return (told, Some(Box::new(slot)));
        }
        (self.end(ended, gathered).await, None)
    }

    /// Ends the log of a build that is over while its slot stays, and judges the build.
    async fn end_log(&mut self, ended: Ended) -> (Ended, Option<Pipe>) {
        let (over, _) = oneshot::channel();
        // A reader that has ended by itself tells why.
        let _ = std::mem::replace(&mut self.over, over).send(());
        let Some(reader) = self.ending.reader.take() else {
            return (ended, None);
        };
        match reader.await {
            Ok((Ok(None), log)) => (ended.judged(&self.meter, &self.limits).await, Some(log)),
            Ok((Ok(Some(reached)), _)) => (Ended::Limit(reached), None),
            Ok((Err(error), _)) => (Ended::Failed(error), None),
            Err(_) => (ended, None),
        }
    }

    /// Ends the slot, and judges the build when nothing of either is alive.
    async fn end(
        mut self,
        ended: Ended,
        gathered: Gathered,
    ) -> Result<(Evidence, Scratch), ExecuteError> {
        // Closing the link is the order to end for a worker that still runs.
        drop(self.session.link);
        let (status, outlived) = self.ending.finish().await;
        let ended = ended.unless_outlived(outlived);
        let ended = ended.judged(&self.meter, &self.limits).await;
        self.meter.group.remove().await;
        let (folder, scratch) = (self.place.folder.as_fd(), self.scratch.dir());
        let ended = match self.moving.leave(folder, scratch) {
            Err(error) if !matches!(ended, Ended::Failed(_)) => {
                Ended::Failed(ExecuteError::Rooms(error))
            }
            _ => ended,
        };
        let told = ended.told(gathered.returns, self.scratch, status);
        told.map_err(|error| match gathered.ready {
            true => error,
            false => of_the_slot(error),
        })
    }

    /// Moves the rooms back to where they are judged; says whether nothing else is left in their place.
    fn moves_out(&mut self) -> std::io::Result<bool> {
        let (folder, scratch) = (self.place.folder.as_fd(), self.scratch.dir());
        self.moving.leave(folder, scratch)
    }
}

/// Whether a hook did what it was called for.
fn is_well(outcome: &HookOutcome) -> bool {
    matches!(
        outcome,
        HookOutcome::List(_) | HookOutcome::Text(_) | HookOutcome::NoHook
    )
}

/// What a failure before the first call means: the build may be run by itself, unless that would fail too.
fn of_the_slot(error: ExecuteError) -> ExecuteError {
    match error {
        ExecuteError::Floor { .. }
        | ExecuteError::Limit(_)
        | ExecuteError::Log { .. }
        | ExecuteError::Cancelled => error,
        other => ExecuteError::Slot(Box::new(other)),
    }
}

/// Has a slot get ready for its next build; says whether it is.
async fn rests(link: &mut Link) -> bool {
    let ready = async {
        link.say(&Order::Rest).await?;
        link.hear().await
    };
    matches!(timeout(GRACE, ready).await, Ok(Ok(Event::Rested)))
}
