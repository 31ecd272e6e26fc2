//! The reaper: waits on link, build, calls, listener and clock at once; ends the domain and proves
//! it empty.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signalfd::SignalFd;
use nix::sys::stat::Mode;
use nix::sys::wait::WaitStatus;
use nix::unistd::Pid;
use protocol::{Claim, Ending, Event, Fault, HookCall, HookReturn, Limit, Order, Step};

use crate::broker::{Broker, Tracer};
use crate::error::{At, fault};
use crate::left_out::{Layer, stands};
use crate::link::{Broken, Link};
use crate::program::{Child, Status};
use crate::rooms::{Room, find};
use crate::sys;

pub(crate) mod descent;
mod emptying;
mod usage;

pub(crate) use emptying::empty_domain;
pub(crate) use usage::usage_of_children;

/// The largest result file that is passed on, in bytes.
const LARGEST_RESULT: u64 = 512 * 1024;

/// A hook that runs.
struct Running {
    call: HookCall,
    since: Instant,
}

/// Everything the reaper holds while a program runs.
pub(crate) struct Reaper<'a> {
    pub(crate) link: &'a mut Link,
    pub(crate) child: Child,
    pub(crate) broker: Option<Broker>,
    pub(crate) signals: &'a SignalFd,
    pub(crate) rooms: &'a [Room],
    /// The rooms of the present build, in a slot.
    pub(crate) moved_in: Vec<Room>,
    /// What the present build is branched off from, in a slot; none if it has ended.
    pub(crate) interpreter: Option<Pid>,
    /// Processes that have ended and were neither the build's first nor the interpreter.
    pub(crate) strays: u32,
    /// The largest resident set of those that have ended, in KiB.
    pub(crate) peak_kib: u64,
    running: Option<Running>,
    pub(crate) until: Instant,
    deaf: bool,
    /// Whether the link has closed and the build goes on all the same, which only a test build lets it.
    cut: bool,
}

/// Until when a slot waits for its next order: the supervisor ends those that idle.
const WITHOUT_END: Duration = Duration::from_secs(365 * 24 * 3600);

/// Notes in [`Woken`] what a descriptor stands for.
type Mark = fn(&mut Woken, PollFlags);

/// What woke the reaper.
#[derive(Default)]
pub(crate) struct Woken {
    pub(crate) link: bool,
    pub(crate) signal: bool,
    listener: bool,
    listener_hung_up: bool,
    pub(crate) answers: bool,
    status: bool,
}

impl<'a> Reaper<'a> {
    /// Begins to watch `child`.
    pub(crate) fn new(
        link: &'a mut Link,
        child: Child,
        signals: &'a SignalFd,
        rooms: &'a [Room],
        wall_ms: u64,
    ) -> Self {
        let now = Instant::now();
        Self {
            link,
            child,
            broker: None,
            signals,
            rooms,
            moved_in: Vec::new(),
            interpreter: None,
            strays: 0,
            peak_kib: 0,
            running: None,
            until: now + Duration::from_millis(wall_ms),
            deaf: false,
            cut: false,
        }
    }

    /// Serves the listener until the child says that its self-test passed. `given` are folders of
    /// the host that the build may write besides its rooms; `tracer` records, if it shall be traced.
    pub(crate) fn wait_until_armed(
        &mut self,
        given: &[PathBuf],
        tracer: Option<Tracer>,
    ) -> Result<(), Fault> {
        if let Some(listener) = self.child.receive_listener()? {
            let rooms: Vec<_> = self.rooms.iter().map(|room| room.seen_as.clone()).collect();
            let mut broker = Broker::new(listener, &rooms, given, self.child.boundary)?;
            if let Some(tracer) = tracer {
                broker.trace(tracer);
            }
            self.broker = Some(broker);
        }
        match self.next_status()? {
            Status::Armed => Ok(()),
            Status::Failed(fault) => Err(fault),
            Status::Started => Err(fault(Step::SelfTest, "the build's child vanished")),
        }
    }

    /// Gives the word to go and waits for exec.
    pub(crate) fn start(&mut self) -> Result<(), Fault> {
        if let Some(broker) = &mut self.broker {
            broker.count_from_now();
        }
        self.child.go()?;
        match self.next_status()? {
            Status::Started => Ok(()),
            Status::Failed(fault) => Err(fault),
            Status::Armed => Err(fault(Step::Exec, "the child armed itself twice")),
        }
    }

    fn next_status(&mut self) -> Result<Status, Fault> {
        loop {
            let woken = self.wait(true)?;
            self.serve(&woken)?;
            if woken.status {
                return self.child.read_status();
            }
            if Instant::now() >= self.until {
                return Err(fault(
                    Step::SelfTest,
                    "the child did not become ready in time",
                ));
            }
        }
    }

    /// Waits for whatever is next in a slot, and answers what the listener brings.
    pub(crate) fn attend(&mut self) -> Result<Woken, Fault> {
        let woken = self.wait(false)?;
        self.serve(&woken)?;
        Ok(woken)
    }

    /// Waits for nothing in particular, for as long as it takes.
    pub(crate) fn rest(&mut self) {
        self.until = Instant::now() + WITHOUT_END;
    }

    /// Whether a hook runs.
    pub(crate) fn is_busy(&self) -> bool {
        self.running.is_some()
    }

    fn serve(&mut self, woken: &Woken) -> Result<(), Fault> {
        self.deaf |= woken.listener_hung_up;
        let Some(broker) = &mut self.broker else {
            return Ok(());
        };
        if woken.listener {
            broker.serve()?;
        }
        broker.retry()
    }

    /// Waits for anything to happen. `early`: before exec only listener and status matter.
    fn wait(&self, early: bool) -> Result<Woken, Fault> {
        let mut watched: Vec<(BorrowedFd<'_>, Mark)> = Vec::with_capacity(5);
        if let Some(broker) = self.broker.as_ref().filter(|_| !self.deaf) {
            watched.push((broker.listener().as_fd(), |woken, events| {
                woken.listener = events.contains(PollFlags::POLLIN);
                // Nobody is behind the filter any more; polling on would spin.
                woken.listener_hung_up = !woken.listener;
            }));
        }
        if early {
            watched.push((self.child.status.as_fd(), |woken, _| woken.status = true));
        } else {
            if !self.cut {
                watched.push((self.link.as_fd(), |woken, _| woken.link = true));
            }
            watched.push((self.signals.as_fd(), |woken, _| woken.signal = true));
            if let Some(answers) = &self.child.answers {
                watched.push((answers.as_fd(), |woken, _| woken.answers = true));
            }
        }
        let mut polled: Vec<_> = watched
            .iter()
            .map(|(fd, _)| PollFd::new(*fd, PollFlags::POLLIN))
            .collect();
        match poll(&mut polled, self.patience()) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno).at(Step::Reaper, "poll"),
        }
        let mut woken = Woken::default();
        for (fd, (_, mark)) in polled.iter().zip(&watched) {
            if let Some(events) = fd.revents().filter(|events| !events.is_empty()) {
                mark(&mut woken, events);
            }
        }
        Ok(woken)
    }

    /// Time until the nearest deadline.
    fn patience(&self) -> PollTimeout {
        let nearest = self.until.min(self.hook_until());
        let mut rest = nearest.saturating_duration_since(Instant::now()) + Duration::from_millis(1);
        if let Some(soon) = self.broker.as_ref().and_then(Broker::patience) {
            rest = rest.min(soon);
        }
        PollTimeout::try_from(rest).unwrap_or(PollTimeout::MAX)
    }

    fn hook_until(&self) -> Instant {
        self.running.as_ref().map_or(self.until, |running| {
            running.since + Duration::from_millis(running.call.wall_ms)
        })
    }

    /// Watches until the program ends, its time is over or the supervisor has enough. Other limits are
    /// the kernel's and the supervisor's to find.
    pub(crate) fn watch(&mut self) -> Result<Ending, Fault> {
        loop {
            let woken = self.wait(false)?;
            self.serve(&woken)?;
            if woken.answers {
                self.take_answer()?;
            }
            if woken.link
                && let Some(ending) = self.take_order()?
            {
                return Ok(ending);
            }
            if woken.signal
                && let Some(ending) = self.take_exits()?
            {
                return Ok(ending);
            }
            let now = Instant::now();
            if now >= self.until || now >= self.hook_until() {
                return Ok(Ending::Reached(Limit::Wall));
            }
        }
    }

    fn take_order(&mut self) -> Result<Option<Ending>, Fault> {
        match self.link.receive() {
            Ok(Order::Call(call)) => {
                let Some(calls) = &mut self.child.calls else {
                    return Err(fault(Step::Reaper, "a call for a program that takes none"));
                };
                // A program that has ended is noticed by its exit; the write may then fail.
                drop(calls.write_all(format!("{}\n", call.line).as_bytes()));
                self.running = Some(Running {
                    call,
                    since: Instant::now(),
                });
                Ok(None)
            }
            Err(Broken::Closed) if !stands(Layer::Lifeline) => {
                self.cut = true;
                Ok(None)
            }
            Ok(Order::End) | Err(Broken::Closed) => Ok(Some(Ending::Ended)),
            Ok(Order::Start(_)) => Err(fault(Step::Reaper, "a second start")),
            Ok(Order::Build(_) | Order::Rest) => {
                Err(fault(Step::Reaper, "another build before the end of this"))
            }
            Err(Broken::Garbage(error)) => Err(fault(Step::Reaper, error.to_string())),
        }
    }

    /// Reads the pipe of answers: one line ends the running hook.
    fn take_answer(&mut self) -> Result<(), Fault> {
        let mut buffer = [0; 64];
        let got = match &mut self.child.answers {
            Some(answers) => answers
                .read(&mut buffer)
                .at(Step::Reaper, "read the answers")?,
            None => 0,
        };
        if got == 0 {
            self.child.answers = None;
            return Ok(());
        }
        if buffer[..got].contains(&b'\n')
            && let Some(running) = self.running.take()
        {
            let result = self.read_result(&running.call.result)?;
            let elapsed_ms = u64::try_from(running.since.elapsed().as_millis()).unwrap_or(u64::MAX);
            self.link.say(&Event::Returned(HookReturn {
                hook: running.call.hook,
                result,
                elapsed_ms,
            }));
        }
        Ok(())
    }

    /// Reads a result file without following anything.
    fn read_result(&self, name: &str) -> Result<Option<Vec<u8>>, Fault> {
        if name.contains('/') || name.starts_with('.') {
            return Err(fault(Step::Reaper, "a result name that is not plain"));
        }
        let rooms = if self.moved_in.is_empty() {
            self.rooms
        } else {
            &self.moved_in
        };
        let room = find(rooms, "o")?;
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let Ok(descriptor) = openat(&room.descriptor, name, flags, Mode::empty()) else {
            return Ok(None);
        };
        let file = File::from(descriptor);
        let is_fit = file
            .metadata()
            .is_ok_and(|found| found.is_file() && found.len() <= LARGEST_RESULT);
        let mut bytes = Vec::new();
        let read = is_fit && file.take(LARGEST_RESULT).read_to_end(&mut bytes).is_ok();
        Ok(read.then_some(bytes))
    }

    /// Waits for whatever has ended; the program's own end ends the watch.
    pub(crate) fn take_exits(&mut self) -> Result<Option<Ending>, Fault> {
        while let Ok(Some(_)) = self.signals.read_signal() {}
        loop {
            let (status, peak_kib) = match sys::take_ended() {
                Ok((WaitStatus::StillAlive, _)) | Err(Errno::ECHILD) => return Ok(None),
                Ok(ended) => ended,
                Err(Errno::EINTR) => continue,
                Err(errno) => return Err(errno).at(Step::Reaper, "wait for the build"),
            };
            if status.pid() == self.interpreter {
                self.interpreter = None;
                continue;
            }
            self.peak_kib = self.peak_kib.max(peak_kib);
            match status {
                WaitStatus::Exited(pid, code) if pid == self.child.pid => {
                    return Ok(Some(Ending::Exited(code)));
                }
                WaitStatus::Signaled(pid, signal, _) if pid == self.child.pid => {
                    return Ok(Some(Ending::Signalled(signal as i32)));
                }
                _ => self.strays += 1,
            }
        }
    }

    /// Reports what was refused, then ends the domain.
    pub(crate) fn finish(mut self, ending: Ending) -> Result<Claim, Fault> {
        let killed = empty_domain(self.child.boundary, Some(self.child.pid))?;
        // The interpreter of a slot is none of the build's.
        let killed = killed.saturating_sub(u32::from(self.interpreter.is_some()));
        if let Some(broker) = self.broker.take() {
            for denial in broker.denials() {
                self.link.say(&Event::Denied(denial));
            }
            for trace in broker.traces() {
                self.link.say(&Event::Traced(trace));
            }
        }
        Ok(Claim {
            ending,
            usage: usage_of_children()?,
            killed,
        })
    }
}
