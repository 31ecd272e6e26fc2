//! A slot: one interpreter with the backend imported, from which builds are branched off, one after
//! the other.
//!
//! ```text
//! branch     a thread of the interpreter forks the next build, which waits; the interpreter is stopped
//! look       nothing but the two lives, and the interpreter is as it was left
//! build      the supervisor moves the rooms in; unpack, call, answer, as in a worker for one build
//! over       nothing but the two lives; the build is ended; the interpreter has not run meanwhile
//! vacated    the supervisor has moved the rooms away
//! ```
//!
//! The interpreter runs only while no room is there: what a stranger's code does in it can neither see
//! a build nor be told anything by one. Whatever is not as expected ends the slot with all that is in it.

mod hear;
mod interpreter;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{ErrorKind, IoSlice, Read};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::dir::Dir;
use nix::fcntl::OFlag;
use nix::sys::signal::Signal;
use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
use nix::sys::stat::Mode;
use nix::unistd::Pid;
use protocol::{Claim, Ending, Event, Fault, Namespaces, Order, SlotBuild, Step, Usage};

use self::hear::{hear, late};
use self::interpreter::{Interpreter, Standing};
use crate::error::{At, fault};
use crate::link::Broken;
use crate::reaper::{Reaper, descent, usage_of_children};
use crate::rooms::{self, Room};
use crate::run::Confined;
use crate::sockets::{pair, unblock};
use crate::sys;
use crate::unpack;

/// How long an interpreter may take to import its backend.
const IMPORT: Duration = Duration::from_secs(120);
/// How long it may take to branch a build off, and to be stopped.
const BRANCH: Duration = Duration::from_secs(20);

/// One slot, on its way.
pub(crate) struct Slot<'a> {
    confined: &'a Confined<'a>,
    reaper: Reaper<'a>,
    terms: &'a protocol::Slot,
    /// The one room of the scratch, which the rooms of builds are moved into.
    home: &'a Room,
    interpreter: Interpreter,
    /// Where the interpreter is told to branch a build off.
    control: File,
    served: u32,
    /// The state of what all have open: a build could change it for the next.
    open_files: Vec<Vec<i32>>,
}

impl<'a> Slot<'a> {
    /// Waits until the interpreter has its threads in their domains, and then the backend.
    pub(crate) fn begin(
        confined: &'a Confined<'a>,
        mut reaper: Reaper<'a>,
        terms: &'a protocol::Slot,
    ) -> Result<Self, Fault> {
        let [home] = confined.rooms else {
            return Err(fault(Step::Assignment, "a slot has one room"));
        };
        reaper.interpreter = Some(reaper.child.pid);
        let interpreter = Interpreter::hold(reaper.child.pid)?;
        reaper.until = Instant::now() + IMPORT;
        // Nothing of a stranger's was imported when this is said; the look from outside asks again.
        hear(
            &mut reaper,
            format!("entered {}\n", terms.builds).as_bytes(),
        )?;
        hear(&mut reaper, b"ready\n")?;
        let control = reaper.child.answers.take();
        Ok(Self {
            control: control.ok_or_else(|| fault(Step::Slot, "there is no control socket"))?,
            confined,
            terms,
            home,
            interpreter,
            served: 0,
            open_files: open_files(),
            reaper,
        })
    }

    /// Serves builds until the slot is of no more use; returns the last word.
    pub(crate) fn serve(mut self) -> Result<Claim, Fault> {
        loop {
            let standing = self.branch()?;
            self.reaper.rest();
            self.reaper.link.say(&Event::Rested);
            let Some(build) = self.next_build()? else {
                return self.reaper.finish(Ending::Ended);
            };
            let before = usage_of_children()?;
            if self.furnish(&build)? {
                return self.reaper.finish(Ending::Ended);
            }
            let ending = self.build()?;
            if !self.is_over(&ending, &standing)? {
                return self.finish(ending, before);
            }
            self.part(ending, before)?;
            if !self.is_vacated()? {
                return self.reaper.finish(Ending::Ended);
            }
        }
    }

    /// Has the interpreter branch the next build off, stops it, and looks whether that is all that it did.
    fn branch(&mut self) -> Result<Standing, Fault> {
        let (ours, theirs) = pair()?;
        unblock(ours.as_fd())?;
        self.send(&theirs)?;
        drop(theirs);
        let calls = ours.try_clone().at(Step::Slot, "copy a socket")?;
        self.reaper.child.calls = Some(File::from(calls));
        self.reaper.child.answers = Some(File::from(ours));
        self.reaper.until = Instant::now() + BRANCH;
        self.interpreter.go_on()?;
        hear(&mut self.reaper, b"branched\n")?;
        self.stop()?;
        let mut others = descent::below()?;
        others.remove(&self.interpreter.pid.as_raw());
        let (Some(build), 1) = (others.first(), others.len()) else {
            let found = format!("{} processes where one build is expected", others.len());
            return Err(fault(Step::Slot, found));
        };
        self.reaper.child.pid = Pid::from_raw(*build);
        self.served += 1;
        let threads = self.terms.builds - self.served + 1;
        self.interpreter.keeps_to_itself(*build)?;
        self.interpreter.settled(threads, &self.home.seen_as)
    }

    /// Tells a thread of the interpreter to branch off, and on which socket the build is called.
    fn send(&self, theirs: &OwnedFd) -> Result<(), Fault> {
        let descriptors = [theirs.as_raw_fd()];
        let message = [ControlMessage::ScmRights(&descriptors)];
        let (byte, flags) = ([IoSlice::new(b"B")], MsgFlags::MSG_NOSIGNAL);
        sendmsg::<()>(self.control.as_raw_fd(), &byte, &message, flags, None)
            .at(Step::Slot, "speak to the interpreter")
            .map(drop)
    }

    fn stop(&mut self) -> Result<(), Fault> {
        self.interpreter.signal(Signal::SIGSTOP)?;
        self.reaper.until = Instant::now() + BRANCH;
        while !self.interpreter.has_stopped()? {
            let woken = self.reaper.attend()?;
            if woken.signal {
                self.reaper.take_exits()?;
            }
            late(&self.reaper)?;
        }
        Ok(())
    }

    /// Waits for the order to build. Nothing where the slot is to end.
    fn next_build(&mut self) -> Result<Option<SlotBuild>, Fault> {
        match self.next_order()? {
            Some(Order::Build(build)) => Ok(Some(build)),
            None | Some(Order::End) => Ok(None),
            Some(_) => Err(fault(Step::Slot, "an order out of turn")),
        }
    }

    fn next_order(&mut self) -> Result<Option<Order>, Fault> {
        loop {
            let woken = self.reaper.attend()?;
            if woken.answers {
                return Err(fault(Step::Slot, "the build spoke before it was called"));
            }
            if woken.signal && self.reaper.take_exits()?.is_some() {
                return Err(fault(Step::Slot, "the build ended before it was called"));
            }
            if self.reaper.interpreter.is_none() {
                return Err(fault(Step::Slot, "the interpreter ended"));
            }
            if woken.link {
                return match self.reaper.link.receive() {
                    Ok(order) => Ok(Some(order)),
                    Err(Broken::Closed) => Ok(None),
                    Err(Broken::Garbage(error)) => Err(fault(Step::Slot, error.to_string())),
                };
            }
        }
    }

    /// Opens the rooms that were moved in and fills them. `true` if the archive was refused.
    fn furnish(&mut self, build: &SlotBuild) -> Result<bool, Fault> {
        let rooms = rooms::open_below(self.home, &self.terms.rooms)?;
        let archive = self.reaper.link.take_descriptor();
        let source = match (&build.unpack, archive) {
            (Some(order), Some(archive)) => Some((order, unpack::regular(archive)?)),
            (None, None) => None,
            _ => {
                return Err(fault(
                    Step::Slot,
                    "an archive without its order, or an order without",
                ));
            }
        };
        let refused = self.confined.unpack(self.reaper.link, source, &rooms)?;
        if let Some(broker) = &mut self.reaper.broker {
            let seen_as: Vec<_> = rooms.iter().map(|room| room.seen_as.clone()).collect();
            broker.begin(&seen_as)?;
        }
        self.reaper.moved_in = rooms;
        Ok(refused)
    }

    /// Watches one build.
    fn build(&mut self) -> Result<Ending, Fault> {
        let assignment = self.confined.assignment;
        let reaper = &mut self.reaper;
        reaper.until = Instant::now() + Duration::from_millis(assignment.limits.wall_ms);
        reaper.peak_kib = 0;
        let pid = (assignment.confinement.namespaces == Namespaces::None)
            .then(|| u32::try_from(reaper.child.pid.as_raw()).unwrap_or(0));
        reaper.link.say(&Event::Ready { pid });
        reaper.watch()
    }

    /// Ends the build, and says whether nothing of it is left and the interpreter has not run.
    fn is_over(&mut self, ending: &Ending, standing: &Standing) -> Result<bool, Fault> {
        if *ending != Ending::Ended || self.reaper.is_busy() || self.served >= self.terms.builds {
            return Ok(false);
        }
        let build = self.reaper.child.pid.as_raw();
        let interpreter = self.interpreter.pid.as_raw();
        if self.reaper.take_exits()?.is_some() || !self.lives(&[interpreter, build])? {
            return Ok(false);
        }
        let pidfd = sys::open_process(build).at(Step::Slot, "hold the build")?;
        sys::signal_process(&pidfd, Some(Signal::SIGKILL)).at(Step::Slot, "end the build")?;
        self.reaper.until = Instant::now() + BRANCH;
        while self.reaper.take_exits()?.is_none() {
            self.reaper.attend()?;
            late(&self.reaper)?;
        }
        if self.reaper.interpreter.is_none() || !self.lives(&[interpreter])? {
            return Ok(false);
        }
        let threads = self.terms.builds - self.served + 1;
        let now = self.interpreter.look(threads, &self.home.seen_as);
        let is_as_left = now.is_ok_and(|now| now == *standing) && self.is_silent();
        Ok(is_as_left && open_files() == self.open_files && self.has_no_objects())
    }

    /// Whether exactly `expected` live. Who ends between two looks and leaves another one is a child of
    /// this process, or of one that is seen, and so noticed.
    fn lives(&mut self, expected: &[i32]) -> Result<bool, Fault> {
        let expected: BTreeSet<_> = expected.iter().copied().collect();
        self.reaper.take_exits()?;
        self.reaper.strays = 0;
        let first = descent::below()?;
        self.reaper.take_exits()?;
        let second = descent::below()?;
        self.reaper.take_exits()?;
        Ok(first == expected && second == expected && self.reaper.strays == 0)
    }

    /// Whether the interpreter has said nothing that it was not asked for.
    fn is_silent(&mut self) -> bool {
        let nothing = self.control.read(&mut [0; 1]);
        nothing.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }

    /// Whether the namespaces hold nothing by which a build could leave word.
    fn has_no_objects(&self) -> bool {
        if self.confined.assignment.confinement.namespaces == Namespaces::None {
            // Nothing of the kind is granted there.
            return true;
        }
        let shared = fs::read_dir("/dev/shm").is_ok_and(|mut found| found.next().is_none());
        let tables = ["shm", "sem", "msg"].iter().all(|table| {
            let table = fs::read_to_string(format!("/proc/sysvipc/{table}"));
            table.is_ok_and(|table| table.lines().count() <= 1)
        });
        let has_tables = fs::exists("/proc/sysvipc").unwrap_or(true);
        shared && (tables || !has_tables)
    }

    /// Lets go of a build that is over and reports it.
    fn part(&mut self, ending: Ending, before: Usage) -> Result<(), Fault> {
        self.reaper.moved_in.clear();
        self.reaper.child.calls = None;
        self.reaper.child.answers = None;
        if let Some(broker) = &mut self.reaper.broker {
            for denial in broker.end()? {
                self.reaper.link.say(&Event::Denied(denial));
            }
        }
        let usage = Usage {
            peak_kib: self.reaper.peak_kib,
            ..since(before)?
        };
        self.reaper.link.say(&Event::Built(Claim {
            ending,
            usage,
            killed: 0,
        }));
        Ok(())
    }

    /// Ends the slot with a build that leaves it of no use.
    fn finish(self, ending: Ending, before: Usage) -> Result<Claim, Fault> {
        let claim = self.reaper.finish(ending)?;
        Ok(Claim {
            usage: since(before)?,
            ..claim
        })
    }

    /// Waits until the rooms of the last build are gone, and sees to it that nothing lies in their place.
    /// Without an order the slot ends.
    fn is_vacated(&mut self) -> Result<bool, Fault> {
        self.reaper.rest();
        match self.next_order()? {
            Some(Order::Rest) => {}
            None | Some(Order::End) => return Ok(false),
            Some(_) => return Err(fault(Step::Slot, "an order out of turn")),
        }
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let mut folder = Dir::openat(&self.home.descriptor, ".", flags, Mode::empty())
            .at(Step::Slot, "look into the folder of the rooms")?;
        let is_expected = |name: &[u8]| {
            let mut fixtures = self.terms.fixtures.iter();
            matches!(name, b"." | b"..") || fixtures.any(|one| one.as_bytes() == name)
        };
        let left = folder.iter().find(|entry| {
            entry
                .as_ref()
                .map_or(true, |entry| !is_expected(entry.file_name().to_bytes()))
        });
        match left {
            None => Ok(true),
            Some(_) => Err(fault(
                Step::Slot,
                "something of a build is left in its place",
            )),
        }
    }
}

/// What was used since.
fn since(before: Usage) -> Result<Usage, Fault> {
    let now = usage_of_children()?;
    Ok(Usage {
        user_ms: now.user_ms.saturating_sub(before.user_ms),
        system_ms: now.system_ms.saturating_sub(before.system_ms),
        peak_kib: now.peak_kib,
    })
}

/// What a build could change for the next of the files that all have open: null and the pipe of the log.
fn open_files() -> Vec<Vec<i32>> {
    [0, 1, 2].map(sys::shared_state).to_vec()
}
