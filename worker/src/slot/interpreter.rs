//! The interpreter of a slot, seen from outside: what the kernel tells of it, never what it says.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::poll::{PollTimeout, poll};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use protocol::{Fault, Step};

use crate::error::{At, fault};
use crate::sys;

/// The descriptors that it has: null, log, log, and the socket on which it is spoken to.
const DESCRIPTORS: [i32; 4] = [0, 1, 2, 3];
/// How often it is looked at until it stands still, and how long between two looks.
const LOOKS: usize = 500;
const BETWEEN: Duration = Duration::from_millis(1);

/// An interpreter that stands still, as it was seen.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// By thread: how often it was taken from a processor. Whoever runs at all is taken from one again.
    switches: BTreeMap<i32, [u64; 2]>,
    /// Where its descriptors lead.
    descriptors: BTreeMap<i32, PathBuf>,
}

/// The process, held.
pub(super) struct Interpreter {
    pub(super) pid: Pid,
    pidfd: OwnedFd,
    is_stopped: bool,
}

impl Interpreter {
    /// Holds the child `pid` of this process.
    pub(super) fn hold(pid: Pid) -> Result<Self, Fault> {
        let pidfd = sys::open_process(pid.as_raw()).at(Step::Slot, "hold the interpreter")?;
        Ok(Self {
            pid,
            pidfd,
            is_stopped: false,
        })
    }

    pub(super) fn signal(&self, signal: Signal) -> Result<(), Fault> {
        sys::signal_process(&self.pidfd, Some(signal))
            .at(Step::Slot, format!("send {signal} to the interpreter"))
    }

    /// Lets it run, if it was stopped.
    pub(super) fn go_on(&mut self) -> Result<(), Fault> {
        if std::mem::take(&mut self.is_stopped) {
            self.signal(Signal::SIGCONT)?;
        }
        Ok(())
    }

    /// Whether all of its threads have stopped since it was told to.
    pub(super) fn has_stopped(&mut self) -> Result<bool, Fault> {
        let how = WaitPidFlag::WUNTRACED | WaitPidFlag::WNOHANG;
        match waitpid(self.pid, Some(how)).at(Step::Slot, "wait for the interpreter to stop")? {
            WaitStatus::Stopped(_, Signal::SIGSTOP) => {
                self.is_stopped = true;
                Ok(true)
            }
            WaitStatus::StillAlive => Ok(false),
            other => Err(fault(
                Step::Slot,
                format!("the interpreter did not stop: {other:?}"),
            )),
        }
    }

    /// Sees to it that `build`, which was forked from it, holds no copy of the socket by which it is told
    /// what to do.
    pub(super) fn keeps_to_itself(&self, build: i32) -> Result<(), Fault> {
        let own = descriptors(self.pid.as_raw()).at(Step::Slot, "list descriptors")?;
        let theirs = descriptors(build).at(Step::Slot, "list the build's descriptors")?;
        match own.get(&3) {
            Some(socket) if theirs.values().all(|held| held != socket) => Ok(()),
            _ => Err(fault(
                Step::Slot,
                "the build holds the interpreter's socket",
            )),
        }
    }

    /// Looks at it until it is seen to stand still: a thread that has stopped may still be on its way
    /// off its processor.
    pub(super) fn settled(&self, threads: u32, rooms: &Path) -> Result<Standing, Fault> {
        let mut before = self.look(threads, rooms)?;
        for _ in 0..LOOKS {
            let pause = PollTimeout::try_from(BETWEEN).unwrap_or(PollTimeout::ZERO);
            poll(&mut [], pause).at(Step::Slot, "poll")?;
            let now = self.look(threads, rooms)?;
            if now == before {
                return Ok(now);
            }
            before = now;
        }
        Err(fault(Step::Slot, "the interpreter does not stand still"))
    }

    /// Looks at it, stopped, with so many threads and nothing of the rooms at `rooms` in its hands.
    pub(super) fn look(&self, threads: u32, rooms: &Path) -> Result<Standing, Fault> {
        let unfit = |what: &str| Err(fault(Step::Slot, format!("the interpreter {what}")));
        let folder = PathBuf::from(format!("/proc/{}", self.pid));
        let mut switches = BTreeMap::new();
        for thread in numbers(&folder.join("task")).at(Step::Slot, "list threads")? {
            let status = folder.join(format!("task/{thread}/status"));
            let status = fs::read_to_string(status).at(Step::Slot, "look at a thread")?;
            let Some(state) = State::of(&status) else {
                return unfit("has a thread that says nothing of itself");
            };
            if !state.is_stopped {
                return unfit("has not stopped");
            }
            if state.is_signalled {
                return unfit("was sent a signal");
            }
            switches.insert(thread, state.switches);
        }
        if u32::try_from(switches.len()) != Ok(threads) {
            return unfit("has other threads than it began with");
        }
        let descriptors = descriptors(self.pid.as_raw()).at(Step::Slot, "list descriptors")?;
        if !descriptors.keys().eq(&DESCRIPTORS) {
            return unfit("has other descriptors than it began with");
        }
        let maps = fs::read_to_string(folder.join("maps")).at(Step::Slot, "list mappings")?;
        if maps.lines().any(|line| is_shared(line, rooms)) {
            return unfit("shares memory");
        }
        Ok(Standing {
            switches,
            descriptors,
        })
    }
}

/// What `/proc/PID/task/TID/status` tells.
#[derive(Debug, PartialEq, Eq)]
struct State {
    is_stopped: bool,
    is_signalled: bool,
    switches: [u64; 2],
}

impl State {
    fn of(status: &str) -> Option<Self> {
        let field = |name: &str| {
            let mut lines = status.lines();
            let line = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.map(str::trim)
        };
        let none = |name| Some(field(name)?.bytes().all(|digit| digit == b'0'));
        Some(Self {
            is_stopped: field("State")?.starts_with('T'),
            is_signalled: !(none("SigPnd")? && none("ShdPnd")?),
            switches: [
                field("voluntary_ctxt_switches")?.parse().ok()?,
                field("nonvoluntary_ctxt_switches")?.parse().ok()?,
            ],
        })
    }
}

/// Whether a line of `/proc/PID/maps` is memory that another process could write, or a file of the rooms.
fn is_shared(line: &str, rooms: &Path) -> bool {
    let mut fields = line.split_ascii_whitespace();
    let rights = fields.nth(1).unwrap_or_default();
    let path = fields.nth(3).unwrap_or_default();
    let is_of_the_host = path.starts_with('/')
        && !path.starts_with("/memfd:")
        && !path.starts_with("/dev/")
        && !Path::new(path).starts_with(rooms)
        && !line.ends_with("(deleted)");
    let is_private = rights.ends_with('p');
    !is_private && (rights.contains('w') || !is_of_the_host)
}

/// The open descriptors of a process and where they lead.
fn descriptors(pid: i32) -> io::Result<BTreeMap<i32, PathBuf>> {
    let folder = PathBuf::from(format!("/proc/{pid}/fd"));
    let link = |number: i32| Ok((number, fs::read_link(folder.join(number.to_string()))?));
    numbers(&folder)?.into_iter().map(link).collect()
}

fn numbers(folder: &Path) -> io::Result<Vec<i32>> {
    let name = |entry: io::Result<fs::DirEntry>| {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.parse().ok());
        number.ok_or_else(|| io::Error::other("a name that is no number"))
    };
    fs::read_dir(folder)?.map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = "Name:\tpython3\nState:\tT (stopped)\nSigPnd:\t0000000000000000\nShdPnd:\t0000000000000000\nvoluntary_ctxt_switches:\t12\nnonvoluntary_ctxt_switches:\t3\n";

    #[test]
    fn a_thread_that_runs_or_has_a_signal_waiting_is_told_from_one_that_stands_still() {
        let state = State::of(STATUS).expect("it is whole");
        assert!(state.is_stopped && !state.is_signalled);
        assert_eq!(state.switches, [12, 3]);
        let running = State::of(&STATUS.replace("T (stopped)", "S (sleeping)"));
        assert!(!running.expect("it is whole").is_stopped);
        for name in ["SigPnd", "ShdPnd"] {
            let text = STATUS.replace(
                &format!("{name}:\t0000000000000000"),
                &format!("{name}:\t0000000000000200"),
            );
            assert!(
                State::of(&text).expect("it is whole").is_signalled,
                "{name}"
            );
        }
        assert_eq!(State::of("Name:\tpython3\n"), None);
    }

    #[test]
    fn memory_that_others_could_write_is_told_from_what_is_the_interpreters_own() {
        let rooms = Path::new("/b");
        let shared = |rights: &str, path: &str| {
            let line = format!("7f0000000000-7f0000001000 {rights} 00000000 08:01 42   {path}");
            is_shared(&line, rooms)
        };
        assert!(!shared("rw-p", "/b/s/file"));
        assert!(!shared("rw-p", ""));
        assert!(!shared("r--s", "/usr/lib/gconv/gconv-modules.cache"));
        assert!(shared("rw-s", "/usr/lib/file"));
        for path in ["", "/b/s/file", "/memfd:x", "/dev/zero", "/tmp/x (deleted)"] {
            assert!(shared("r--s", path), "{path}");
        }
    }
}
