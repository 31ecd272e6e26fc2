//! The corridor of a worker: order, confinement, unpacking, program, reaping, claim.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::geteuid;
use protocol::{
    AbsPath, Access, Assignment, Claim, Ending, Event, Fault, Namespaces, Order, Program, Step,
    Unpack,
};
use std::os::fd::AsFd;

use crate::broker::{Reach, Tracer};
use crate::clock::{Mark, passed};
use crate::confine::{self, Boundary, Domain, InNamespace, OomScore, Sentinel, Stage, Support};
use crate::error::{At, fault};
use crate::link::{Broken, Link};
use crate::program;
use crate::reaper::{Reaper, empty_domain, usage_of_children};
use crate::rooms::{self, Room};
use crate::slot::Slot;
use crate::unpack;

/// Runs a worker whose link to the supervisor is standard input.
#[must_use]
pub fn main() -> ExitCode {
    main_up_to(u32::MAX)
}

/// Runs a worker that takes no more of Landlock than an ABI has: what an older kernel would enforce,
/// enforced by this one. For tests of the lower levels; no shipped program calls it.
#[must_use]
pub fn main_up_to(landlock: u32) -> ExitCode {
    let Ok(mut link) = confine::begin() else {
        return ExitCode::from(70);
    };
    match work(&mut link, landlock) {
        Ok(code) => code,
        Err(fault) => {
            link.say(&Event::Faulted(fault));
            ExitCode::from(70)
        }
    }
}

fn work(link: &mut Link, landlock: u32) -> Result<ExitCode, Fault> {
    let assignment = match link.receive() {
        Ok(Order::Start(assignment)) => assignment,
        Ok(_) => return Err(fault(Step::Assignment, "the first order is not a start")),
        Err(Broken::Closed) => return Ok(ExitCode::SUCCESS),
        Err(Broken::Garbage(error)) => return Err(fault(Step::Assignment, error.to_string())),
    };
    let confinement = &assignment.confinement;
    let support = support(&assignment, landlock)?;
    let archive = unpack::open_archive(assignment.unpack.as_ref())?;
    let rooms = rooms::open_all(&assignment.rooms, confinement.namespaces)?;
    let uid = confinement.build_uid.unwrap_or_else(|| geteuid().as_raw());
    let processes_now = confine::processes_now(confinement.namespaces, uid);
    confine::assert_one_thread()?;
    passed(Mark::Order);
    if let InNamespace::Outside(code) = confine::enter(confinement.namespaces, confinement.network)?
    {
        return Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)));
    }
    passed(Mark::Namespaces);
    let oom_score = OomScore::open();
    if let Some(uid) = confinement.build_uid
        && assignment.slot.is_none()
    {
        confine::hand_over(&rooms, uid)?;
    }
    passed(Mark::Rooms);
    if confinement.namespaces != Namespaces::None {
        confine::new_root(&assignment, &rooms)?;
    }
    passed(Mark::Mounts);
    confine::drop_privileges(confinement.build_uid)?;
    if confinement.namespaces != Namespaces::None {
        // Changing the uid has cleared it.
        confine::end_with_parent()?;
    }
    passed(Mark::Privileges);
    enter_domain(&assignment, &rooms, support)?;
    confine::hide()?;
    let signals = watch_children()?;
    passed(Mark::Watch);
    let confined = Confined {
        assignment: &assignment,
        rooms: &rooms,
        support,
        boundary: Boundary::of(confinement, support),
        signals: &signals,
        oom_score: &oom_score,
    };
    let outcome = confined.stages(link, archive, processes_now);
    if outcome.is_err() {
        empty_domain(confined.boundary, None)?;
    }
    link.say(&Event::Finished(outcome?));
    Ok(ExitCode::SUCCESS)
}

/// The first Landlock ABI that alone keeps a build from changing foreign files: with truncation.
const LOWEST_ALONE: u32 = 3;

/// Asks what the kernel can do and refuses what is below the assignment's floor.
fn support(assignment: &Assignment, landlock: u32) -> Result<Support, Fault> {
    let confinement = &assignment.confinement;
    let found = Support::ask(landlock);
    if !confinement.landlock {
        return match confinement.namespaces {
            Namespaces::None => Err(fault(
                Step::Landlock,
                "neither Landlock nor namespaces were asked for",
            )),
            _ => Ok(Support { abi: 0, errata: 0 }),
        };
    }
    if found.abi < confinement.landlock_floor {
        let doing = format!(
            "Landlock ABI {} or later is wanted, this kernel runs {}",
            confinement.landlock_floor, found.abi
        );
        return Err(fault(Step::Landlock, doing));
    }
    if confinement.namespaces == Namespaces::None && found.abi < LOWEST_ALONE {
        return Err(fault(
            Step::Landlock,
            format!(
                "without namespaces Landlock ABI {LOWEST_ALONE} or later is needed, this kernel runs {}",
                found.abi
            ),
        ));
    }
    Ok(found)
}

/// Enters domain A, the union of what the stages of this worker may do, and probes it.
fn enter_domain(assignment: &Assignment, rooms: &[Room], support: Support) -> Result<(), Fault> {
    if support.abi == 0 {
        return Ok(());
    }
    let mut domain = domain(assignment, rooms, support)?;
    // The broker reads there how the build's descriptors are set. The build's own domain, nested in
    // this one, is granted it only where the namespace makes it harmless.
    domain.grant("/proc".as_ref(), Access::Read, true)?;
    passed(Mark::ReapersDomain);
    let sentinel = Sentinel::post()?;
    passed(Mark::Probe);
    confine::restrict(domain)?;
    passed(Mark::ReapersDomain);
    if support.scopes() {
        sentinel.prove()?;
    } else {
        sentinel.dismiss()?;
    }
    passed(Mark::Probe);
    Ok(())
}

/// The grants of the program's stage: the policy's, the rooms, and what level `ns` adds.
fn domain(assignment: &Assignment, rooms: &[Room], support: Support) -> Result<Domain, Fault> {
    let mut domain = Domain::new(support, assignment.confinement.network);
    if support.abi == 0 {
        return Ok(domain);
    }
    for (reach, optional) in reach(assignment, rooms) {
        domain.grant(&reach.path, reach.access, optional)?;
    }
    Ok(domain)
}

/// What the program's stage may reach, each path as the build sees it, and whether it may be missing.
fn reach(assignment: &Assignment, rooms: &[Room]) -> Vec<(Reach, bool)> {
    let in_namespaces = assignment.confinement.namespaces != Namespaces::None;
    let of = |path: &Path, access| Reach {
        path: path.to_owned(),
        access,
    };
    let mut all = Vec::new();
    for grant in &assignment.confinement.grants {
        let seen_as = grant
            .seen_as
            .as_ref()
            .filter(|_| in_namespaces)
            .unwrap_or(&grant.path);
        all.push((of(seen_as.as_path(), grant.access), grant.optional));
    }
    for room in rooms {
        all.push((of(&room.seen_as, Access::ReadWrite), false));
    }
    if in_namespaces {
        all.push((of("/proc".as_ref(), Access::Read), false));
        all.push((of("/dev/shm".as_ref(), Access::ReadWrite), false));
    }
    all
}

/// Has the end of children arrive on a descriptor.
fn watch_children() -> Result<SignalFd, Fault> {
    let mut mask = SigSet::empty();
    mask.add(Signal::SIGCHLD);
    mask.thread_block().at(Step::Reaper, "block SIGCHLD")?;
    SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
        .at(Step::Reaper, "watch for SIGCHLD")
}

/// A worker inside domain A.
pub(crate) struct Confined<'a> {
    pub(crate) assignment: &'a Assignment,
    pub(crate) rooms: &'a [Room],
    support: Support,
    boundary: Boundary,
    signals: &'a SignalFd,
    oom_score: &'a OomScore,
}

impl Confined<'_> {
    /// Arms the program, reports, unpacks, starts, watches, ends.
    fn stages(
        &self,
        link: &mut Link,
        archive: Option<File>,
        processes_now: u64,
    ) -> Result<Claim, Fault> {
        let program = match &self.assignment.program {
            Some(program) => program,
            None if archive.is_some() => return self.only_unpack(link, archive),
            // A probe: a child is armed, so that what is reported was done, but it never execs.
            None => &nothing()?,
        };
        let domain = domain(self.assignment, self.rooms, self.support)?;
        passed(Mark::Rules);
        let child = self.oom_score.raised(|| {
            program::start(
                self.assignment,
                program,
                domain,
                self.support,
                processes_now,
            )
        })?;
        let pid = (self.assignment.confinement.namespaces == Namespaces::None)
            .then(|| u32::try_from(child.pid.as_raw()).unwrap_or(0));
        // The rooms of a slot come and go with its builds.
        let rooms = match self.assignment.slot {
            Some(_) => &[],
            None => self.rooms,
        };
        let mut reaper = Reaper::new(
            link,
            child,
            self.signals,
            rooms,
            self.assignment.limits.wall_ms,
        );
        reaper.wait_until_armed(&self.given(), self.tracer())?;
        let stage = match reaper.broker {
            Some(_) => Stage::Brokered,
            None => Stage::Unbrokered,
        };
        reaper.link.say(&Event::Confined(self.report(stage)));
        if self.assignment.program.is_none() {
            return reaper.finish(Ending::Nothing);
        }
        if let Some(terms) = &self.assignment.slot {
            reaper.start()?;
            return Slot::begin(self, reaper, terms)?.serve();
        }
        if self.unpack(reaper.link, self.source(archive), self.rooms)? {
            return reaper.finish(Ending::Ended);
        }
        reaper.start()?;
        reaper.link.say(&Event::Ready { pid });
        let ending = reaper.watch()?;
        reaper.finish(ending)
    }

    /// The record of what the program opens and starts, if one is wanted.
    fn tracer(&self) -> Option<Tracer> {
        let confinement = &self.assignment.confinement;
        let reach = reach(self.assignment, self.rooms).into_iter();
        let reach: Vec<_> = reach.map(|(reach, _)| reach).collect();
        let hides = confinement.namespaces != Namespaces::None;
        confinement.trace.then(|| Tracer::new(&reach, hides))
    }

    /// Folders of the host that the build was given to write.
    fn given(&self) -> Vec<PathBuf> {
        let grants = self.assignment.confinement.grants.iter();
        grants
            .filter(|grant| grant.access == Access::ReadWrite)
            .map(|grant| grant.path.as_path().to_owned())
            .collect()
    }

    fn only_unpack(&self, link: &mut Link, archive: Option<File>) -> Result<Claim, Fault> {
        link.say(&Event::Confined(self.report(Stage::Unpacking)));
        let refused = self.unpack(link, self.source(archive), self.rooms)?;
        empty_domain(self.boundary, None)?;
        let ending = if refused {
            Ending::Ended
        } else {
            Ending::Nothing
        };
        Ok(Claim {
            ending,
            usage: usage_of_children()?,
            killed: 0,
        })
    }

    fn report(&self, stage: Stage) -> protocol::IsolationReport {
        confine::report(self.support, &self.assignment.confinement, stage)
    }

    /// The archive of the assignment, and what is to become of it.
    fn source(&self, archive: Option<File>) -> Option<(&Unpack, File)> {
        self.assignment.unpack.as_ref().zip(archive)
    }

    /// Has an archive unpacked, if there is one. `true` if the worker should end now.
    pub(crate) fn unpack(
        &self,
        link: &mut Link,
        source: Option<(&Unpack, File)>,
        rooms: &[Room],
    ) -> Result<bool, Fault> {
        let Some((order, archive)) = source else {
            return Ok(false);
        };
        let limits = &self.assignment.limits;
        let mut unpacker = unpack::start(order, archive, rooms, self.support, limits)?;
        let until = Instant::now() + Duration::from_millis(limits.wall_ms);
        loop {
            let rest = until.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                let detail = "the archive took too long to unpack".to_owned();
                link.say(&Event::Refused {
                    rule: "time".to_owned(),
                    detail,
                });
                return Ok(true);
            }
            let patience = PollTimeout::try_from(rest).unwrap_or(PollTimeout::MAX);
            let mut polled = [
                PollFd::new(unpacker.as_fd(), PollFlags::POLLIN),
                PollFd::new(link.as_fd(), PollFlags::POLLIN),
            ];
            match poll(&mut polled, patience) {
                Ok(_) | Err(nix::errno::Errno::EINTR) => {}
                Err(errno) => return Err(errno).at(Step::Reaper, "poll"),
            }
            let [unpacked, ordered] = polled.map(|fd| fd.any().unwrap_or(false));
            if ordered {
                // Whatever it is, nothing but an end makes sense now.
                drop(link.receive());
                return Ok(true);
            }
            if unpacked && let Some(event) = unpacker.read()? {
                nix::sys::wait::waitpid(unpacker.pid, None)
                    .at(Step::Reaper, "wait for the unpacker")?;
                if let Event::Faulted(fault) = event {
                    return Err(fault);
                }
                link.say(&event);
                return Ok(matches!(event, Event::Refused { .. }));
            }
        }
    }
}

/// The program of a probe, which is never started.
fn nothing() -> Result<Program, Fault> {
    let root = AbsPath::new("/").map_err(|error| fault(Step::Assignment, error.to_string()))?;
    Ok(Program {
        path: root.clone(),
        arguments: Vec::new(),
        environment: Vec::new(),
        directory: root,
        takes_calls: false,
        input: None,
        output: None,
        talks: false,
    })
}
