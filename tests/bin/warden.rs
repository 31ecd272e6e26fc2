//! The parent of a program under test: `warden [--uid N] GRACE_MS PROGRAM ARGUMENTS...`.
//!
//! It is the subreaper of all that the program starts, so it knows for certain what is left when the
//! program has ended. Descriptor 0 is a socket to the test: the warden tells it `started PID`, `ended code N`
//! or `ended signal N`, one `left PID COMMAND` for each process that outlives the program by more than the
//! grace, and `empty` when none is left. When the test closes the socket, everything is ended.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "warden: {error}");
            ExitCode::from(99)
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let mut link = File::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    let mut arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let mut uid = None;
    if arguments.first().is_some_and(|first| first == "--uid") {
        uid = Some(arguments[1].to_string_lossy().parse::<u32>()?);
        arguments.drain(..2);
    }
    let grace = Duration::from_millis(arguments.remove(0).to_string_lossy().parse()?);
    nix::sys::prctl::set_child_subreaper(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    // What is ignored stays so in a new program, and a suite in the background of a shell may ignore SIGINT. What is
    // caught is at its default there.
    let _caught = runtime.block_on(async { signal(SignalKind::interrupt()) })?;
    let mut command = Command::new(&arguments[0]);
    command
        .args(&arguments[1..])
        .stdin(Stdio::null())
        .process_group(0);
    if let Some(uid) = uid {
        command.uid(uid).gid(uid);
    }
    let program = Pid::from_raw(i32::try_from(command.spawn()?.id())?);
    writeln!(link, "started {program}")?;
    let mut hangup = link.try_clone()?;
    thread::spawn(move || {
        let _ = hangup.read(&mut [0]);
        end_all();
    });
    reap(program, &mut link, grace)?;
    writeln!(link, "empty")?;
    Ok(())
}

/// Reaps until no process is left; tells the test how the program ended and what stays after the grace.
fn reap(program: Pid, link: &mut File, grace: Duration) -> Result<(), Box<dyn std::error::Error>> {
    let (finished, wait) = mpsc::channel::<()>();
    let mut wait = Some(wait);
    let mut judge = None;
    while let Ok(status) = waitpid(None, None) {
        let word = match status {
            WaitStatus::Exited(pid, code) if pid == program => format!("ended code {code}"),
            WaitStatus::Signaled(pid, signal, _) if pid == program => {
                format!("ended signal {}", signal as i32)
            }
            _ => continue,
        };
        writeln!(link, "{word}")?;
        let Some(wait) = wait.take() else { continue };
        let mut link = link.try_clone()?;
        judge = Some(thread::spawn(move || {
            if wait.recv_timeout(grace) == Err(mpsc::RecvTimeoutError::Timeout) {
                for pid in descendants() {
                    let _ = writeln!(link, "left {pid} {}", command_of(pid));
                }
                end_all();
            }
        }));
    }
    drop(finished);
    if let Some(judge) = judge {
        let _ = judge.join();
    }
    Ok(())
}

/// Ends every descendant, again and again until none is left: a process may fork while it is being ended.
fn end_all() {
    loop {
        let all = descendants();
        if all.is_empty() {
            return;
        }
        for pid in all {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
        thread::yield_now();
    }
}

/// Returns the descendants of this process that are not zombies.
fn descendants() -> BTreeSet<i32> {
    let mut all: BTreeSet<i32> = BTreeSet::from([std::process::id().cast_signed()]);
    let family: Vec<_> = tests::processes::all().filter(|one| !one.zombie).collect();
    loop {
        let before = all.len();
        for one in &family {
            if all.contains(&one.parent) {
                all.insert(one.pid);
            }
        }
        if all.len() == before {
            all.remove(&std::process::id().cast_signed());
            return all;
        }
    }
}

fn command_of(pid: i32) -> String {
    let words = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&words).replace(['\0', '\n'], " ")
}
