//! The child that becomes the build: limits, domain B, the filter, the self-test, and at last exec.
//!
//! It is forked and armed before a stranger's byte is touched, so that what is reported is what was
//! enforced; then it waits for the word to go.

use std::ffi::CString;
use std::fs::File;
use std::io::{IoSliceMut, IsTerminal, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::cmsg_space;
use nix::fcntl::{OFlag, open};
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, chdir, execve, pipe2, setsid};
use protocol::{
    Assignment, Confinement, Fault, Namespaces, Network, Program, Step, decode, encode,
};

use crate::clock::{Mark, passed};
use crate::confine::{
    Boundary, Domain, Support, become_nice, end_with_parent, raise_open_files, restrict, self_test,
    set_limits,
};
use crate::error::{At, fault};
use crate::left_out::{self, Layer, stands};
use crate::sockets::{pair, unblock};
use crate::sys::{self, Fork};

/// The byte with which the child says that its self-test passed.
const ARMED: u8 = b'A';

/// The reaper's side of the child.
pub(crate) struct Child {
    pub(crate) pid: Pid,
    /// What sets it and its processes apart from all others.
    pub(crate) boundary: Boundary,
    /// Calls for the program, one line each.
    pub(crate) calls: Option<File>,
    /// One line for each call that ended.
    pub(crate) answers: Option<File>,
    /// What the child says until it execs.
    pub(crate) status: File,
    go: Option<File>,
    listener_socket: OwnedFd,
}

/// The child's side of the same pipes.
struct Ends {
    calls: Option<OwnedFd>,
    answers: Option<OwnedFd>,
    status: OwnedFd,
    go: OwnedFd,
    listener_socket: OwnedFd,
}

/// Forks the child. It arms itself and waits.
pub(crate) fn start(
    assignment: &Assignment,
    program: &Program,
    domain: Domain,
    support: Support,
    processes_now: u64,
) -> Result<Child, Fault> {
    let boundary = Boundary::of(&assignment.confinement, support);
    let (mut child, ends) = pipes(program, assignment.slot.is_some(), boundary)?;
    match sys::fork().at(Step::Exec, "fork the build")? {
        Fork::Child => {
            drop(child);
            let fault = match armed(assignment, &ends, domain, support, processes_now) {
                Ok(()) => become_program(program, &ends),
                Err(fault) => fault,
            };
            if let Ok(frame) = encode(&fault) {
                drop(File::from(ends.status).write_all(&frame));
            }
            sys::exit_now(127)
        }
        Fork::Parent(pid) => {
            child.pid = pid;
            Ok(child)
        }
    }
}

fn pipes(program: &Program, is_slot: bool, boundary: Boundary) -> Result<(Child, Ends), Fault> {
    let pipe = || pipe2(OFlag::O_CLOEXEC).at(Step::Exec, "make a pipe");
    let (status_read, status_write) = pipe()?;
    let (go_read, go_write) = pipe()?;
    let (calls, answers) = match (program.takes_calls, is_slot) {
        (true, false) => (Some(pair()?), Some(pair()?)),
        // Calls go to each build on a socket of its own.
        (_, true) => (None, Some(pair()?)),
        (false, false) => (None, None),
    };
    let (calls_read, calls_write) = calls.unzip();
    let (answers_write, answers_read) = answers.unzip();
    // The reaper never waits for a program to read.
    for ours in [&calls_write, &answers_read].into_iter().flatten() {
        unblock(ours.as_fd())?;
    }
    let (ours, theirs) = pair()?;
    let child = Child {
        pid: Pid::from_raw(0),
        boundary,
        calls: calls_write.map(File::from),
        answers: answers_read.map(File::from),
        status: File::from(status_read),
        go: Some(File::from(go_write)),
        listener_socket: ours,
    };
    let ends = Ends {
        calls: calls_read,
        answers: answers_write,
        status: status_write,
        go: go_read,
        listener_socket: theirs,
    };
    Ok((child, ends))
}

/// Confines the child and shows that it is confined.
fn armed(
    assignment: &Assignment,
    ends: &Ends,
    domain: Domain,
    support: Support,
    processes_now: u64,
) -> Result<(), Fault> {
    end_with_parent()?;
    passed(Mark::Fork);
    if support.abi > 0 && stands(Layer::NestedDomain) {
        restrict(domain)?;
    }
    passed(Mark::ProgramsDomain);
    raise_open_files()?;
    let boundary = Boundary::of(&assignment.confinement, support);
    install_filter(
        &assignment.confinement,
        boundary,
        ends.listener_socket.as_fd(),
    )?;
    passed(Mark::Filter);
    // After the listener is handed over: descriptors in flight are counted against the same limit,
    // for all processes of the uid together.
    if stands(Layer::Limits) {
        // The threads of an interpreter that stays are none of a build's processes.
        let company = assignment.slot.as_ref().map_or(0, protocol::Slot::tasks);
        set_limits(&assignment.limits, processes_now + company)?;
    }
    become_nice()?;
    passed(Mark::Limits);
    let confinement = &assignment.confinement;
    let beside = match confinement.namespaces {
        Namespaces::None => assignment.rooms.scratch.as_path(),
        Namespaces::WithUser | Namespaces::WithoutUser => assignment.rooms.seen_as.as_path(),
    };
    // What lacks a layer would not pass, and would never be seen to let anything through.
    if stands(Layer::SelfTest) {
        self_test(
            confinement.must_not_open.as_path(),
            beside,
            support.scopes(),
            confinement.network,
            boundary,
        )?;
    }
    passed(Mark::SelfTest);
    let mut status = File::from(
        ends.status
            .try_clone()
            .at(Step::Exec, "copy the status pipe")?,
    );
    status
        .write_all(&[ARMED])
        .at(Step::Exec, "say that the self-test passed")
}

/// Installs the filter, with a listener if the host gives one, and sends the listener (or a plain
/// byte if there is none) to the reaper.
fn install_filter(
    confinement: &Confinement,
    boundary: Boundary,
    socket: BorrowedFd<'_>,
) -> Result<(), Fault> {
    let arch = filter::Arch::current();
    let mut spec = filter::Spec {
        stage: match confinement.network {
            Network::None => filter::Stage::Program,
            Network::Outbound => filter::Stage::Fetch,
        },
        listener: stands(Layer::Listener),
        // Without a scope an abstract name of the host is open to whoever has a socket.
        local_sockets: boundary != Boundary::Descent,
        // At `ns` read-only mounts protect what lies outside the rooms.
        broker_metadata: confinement.namespaces == Namespaces::None,
        trace: confinement.trace,
    };
    let listener = match filter::install(&left_out::compile(arch, &spec), spec.listener) {
        Ok(listener) => listener,
        // A runtime that has a listener already, or a kernel that gives none: the same refusals
        // without the reports. The reaper computes the level from what it receives.
        Err(error)
            if matches!(
                error.raw_os_error(),
                Some(libc::EBUSY | libc::EINVAL | libc::ENOSYS)
            ) =>
        {
            spec.listener = false;
            spec.broker_metadata = false;
            spec.trace = false;
            filter::install(&left_out::compile(arch, &spec), false)
                .at(Step::Filter, "install the filter")?
        }
        Err(error) => return Err(error).at(Step::Filter, "install the filter with a listener"),
    };
    let descriptor = listener.as_ref().map(|listener| [listener.as_raw_fd()]);
    let message: Vec<_> = descriptor
        .iter()
        .map(|one| ControlMessage::ScmRights(one))
        .collect();
    sendmsg::<()>(
        socket.as_raw_fd(),
        &[std::io::IoSlice::new(b"L")],
        &message,
        MsgFlags::empty(),
        None,
    )
    .at(Step::Filter, "hand the listener over")
    .map(drop)
}

/// Waits for the word and execs. Returns only if that failed.
fn become_program(program: &Program, ends: &Ends) -> Fault {
    let outcome = (|| {
        let mut word = [0; 1];
        let mut go = File::from(ends.go.try_clone().at(Step::Exec, "copy the pipe")?);
        if go
            .read(&mut word)
            .at(Step::Exec, "wait for the word to go")?
            == 0
        {
            // The reaper changed its mind; nobody reads a fault.
            sys::exit_now(0);
        }
        chdir(program.directory.as_path())
            .at(Step::Exec, format!("enter `{}`", program.directory))?;
        if let Some(calls) = &ends.calls {
            sys::place(calls.as_fd(), 0).at(Step::Exec, "place the calls")?;
        }
        place_files(program)?;
        if program.talks {
            face_the_person()?;
        }
        let path = c_string(program.path.as_path().to_string_lossy().as_ref())?;
        let arguments: Vec<_> = program
            .arguments
            .iter()
            .map(|one| c_string(one))
            .collect::<Result<_, _>>()?;
        let mut variables = program.environment.clone();
        if !stands(Layer::Environment) {
            variables.extend(std::env::vars());
        }
        let environment: Vec<_> = variables
            .iter()
            .map(|(name, value)| c_string(&format!("{name}={value}")))
            .collect::<Result<_, _>>()?;
        sys::plain_signals().at(Step::Exec, "reset signals")?;
        if stands(Layer::ClosingOnExec) {
            sys::cloexec_from(3).at(Step::Exec, "keep descriptors from the build")?;
        }
        place_answers(ends)?;
        execve(&path, &arguments, &environment)
            .at(Step::Exec, format!("start `{}`", program.path))
            .map(|never| match never {})
    })();
    match outcome {
        Err(fault) => fault,
        Ok(()) => fault(Step::Exec, "exec returned"),
    }
}

/// Puts the files of the program at standard input and output. Opened behind every lock, so that
/// it can be nothing that the program may not open itself.
fn place_files(program: &Program) -> Result<(), Fault> {
    if let Some(path) = program.input.as_ref().filter(|_| !program.takes_calls) {
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let input = open(path.as_path(), flags, Mode::empty())
            .at(Step::Exec, format!("open the input `{path}`"))?;
        sys::place(input.as_fd(), 0).at(Step::Exec, "place the input")?;
    }
    if let Some(path) = &program.output {
        let flags = OFlag::O_WRONLY
            | OFlag::O_CREAT
            | OFlag::O_TRUNC
            | OFlag::O_NOFOLLOW
            | OFlag::O_CLOEXEC;
        let output = open(path.as_path(), flags, Mode::from_bits_truncate(0o600))
            .at(Step::Exec, format!("open the output `{path}`"))?;
        sys::place(output.as_fd(), 1).at(Step::Exec, "place the output")?;
    }
    Ok(())
}

/// Has the program read from what it writes to, in a session of its own; a terminal becomes the
/// session's, so that keys that interrupt reach the program and nobody else.
fn face_the_person() -> Result<(), Fault> {
    let out = std::io::stdout();
    setsid().at(Step::Exec, "start a session for the program")?;
    if out.is_terminal() {
        sys::take_terminal(out.as_fd()).at(Step::Exec, "take the terminal")?;
    }
    sys::place(out.as_fd(), 0).at(Step::Exec, "place the terminal")
}

/// Puts the pipe for answers at descriptor 3. Whatever was there was the child's copy of something
/// of the reaper's, but the status pipe must survive until exec.
fn place_answers(ends: &Ends) -> Result<(), Fault> {
    match &ends.answers {
        Some(answers) if ends.status.as_raw_fd() != 3 => {
            sys::place(answers.as_fd(), 3).at(Step::Exec, "place the answers")
        }
        Some(_) => Err(fault(Step::Exec, "the status pipe has number 3")),
        None => Ok(()),
    }
}

fn c_string(text: &str) -> Result<CString, Fault> {
    CString::new(text).map_err(|_| fault(Step::Assignment, "a string holds a NUL byte"))
}

/// What the status pipe said.
pub(crate) enum Status {
    /// The self-test passed.
    Armed,
    /// The program was started.
    Started,
    /// It could not be.
    Failed(Fault),
}

impl Child {
    /// Waits for the listener, or for the word that there is none.
    pub(crate) fn receive_listener(&self) -> Result<Option<filter::Listener>, Fault> {
        let mut byte = [0; 1];
        let mut space = cmsg_space!([i32; 1]);
        let mut buffer = [IoSliceMut::new(&mut byte)];
        let message = recvmsg::<()>(
            self.listener_socket.as_raw_fd(),
            &mut buffer,
            Some(&mut space),
            MsgFlags::MSG_CMSG_CLOEXEC,
        )
        .at(Step::Filter, "receive the listener")?;
        let mut listener = None;
        for control in message
            .cmsgs()
            .at(Step::Filter, "read the listener's message")?
        {
            if let ControlMessageOwned::ScmRights(descriptors) = control {
                listener = descriptors.into_iter().map(sys::adopt).next();
            }
        }
        Ok(listener.map(filter::Listener::new))
    }

    /// Reads the status pipe, which is readable.
    pub(crate) fn read_status(&mut self) -> Result<Status, Fault> {
        let mut buffer = vec![0; 64 * 1024];
        let got = self
            .status
            .read(&mut buffer)
            .at(Step::Exec, "read the build's status")?;
        match &buffer[..got] {
            [] => Ok(Status::Started),
            [ARMED] => Ok(Status::Armed),
            [ARMED, rest @ ..] | rest => Ok(Status::Failed(
                decode(rest.get(4..).unwrap_or_default()).unwrap_or_else(|error| {
                    fault(Step::Exec, format!("status of the build: {error}"))
                }),
            )),
        }
    }

    /// Gives the word to go.
    pub(crate) fn go(&mut self) -> Result<(), Fault> {
        match self.go.take() {
            Some(mut go) => go.write_all(b"G").at(Step::Exec, "give the word to go"),
            None => Err(fault(Step::Exec, "the word was given twice")),
        }
    }
}
