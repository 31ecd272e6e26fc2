//! The child's side: become somebody, get behind filters, play a scene, say what happened.
#![expect(
    clippy::print_stdout,
    reason = "the parent reads the outcomes from standard output"
)]

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::process::ExitCode;

use filter::{Arch, Spec, Stage};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use rustix::thread::{Gid, Uid};

use crate::{attempts, boundaries, listening, requests, work};

const NOBODY: u32 = 65534;

/// What a scene is given.
pub(crate) struct Stagehand {
    pub(crate) folder: PathBuf,
}

/// Says one outcome.
pub(crate) fn say(name: &str, outcome: Result<i64, i32>) {
    match outcome {
        Ok(_) => println!("{name}: ok"),
        Err(errno) => println!("{name}: {}", word(errno)),
    }
}

/// Returns an errno as the tests write it.
fn word(errno: i32) -> String {
    match errno {
        libc::EPERM => "EPERM".to_owned(),
        libc::EACCES => "EACCES".to_owned(),
        libc::ENOSYS => "ENOSYS".to_owned(),
        libc::EBUSY => "EBUSY".to_owned(),
        libc::ENOTTY => "ENOTTY".to_owned(),
        _ => format!("errno {errno}"),
    }
}

/// Returns an error's errno as a raw call would.
pub(crate) fn errno(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(0)
}

/// `child SCENE FILTERS IDENTITY FOLDER`; filters are joined by `+`, the first is the outermost.
pub(crate) fn main(arguments: &[String]) -> ExitCode {
    let [scene, filters, identity, folder] = arguments else {
        println!("usage: expected four words");
        return ExitCode::FAILURE;
    };
    let stagehand = Stagehand {
        folder: PathBuf::from(folder),
    };
    if identity == "Nobody" {
        rustix::thread::set_thread_groups(&[]).unwrap();
        let (gid, uid) = (Gid::from_raw(NOBODY), Uid::from_raw(NOBODY));
        rustix::thread::set_thread_res_gid(gid, gid, gid).unwrap();
        rustix::thread::set_thread_res_uid(uid, uid, uid).unwrap();
    }
    if scene == "privileged" {
        let installed = filter::install(&program("program"), false);
        say(
            "install",
            installed.map(|_| 0).map_err(|error| errno(&error)),
        );
        return ExitCode::SUCCESS;
    }
    rustix::thread::set_no_new_privs(true).unwrap();
    let before = attempts::prepare(&stagehand);
    for name in filters.split('+').filter(|name| *name != "none") {
        let listening = ["listener", "broker", "tracer"].contains(&name);
        let listener = filter::install(&program(name), listening).unwrap();
        assert_eq!(listener.is_some(), listening);
        if let Some(listener) = listener {
            send(io::stdin().as_fd(), listener);
        }
    }
    match scene.as_str() {
        "attempts" => attempts::play(&stagehand, &before),
        "requests" => requests::play(&stagehand),
        "unpack" => boundaries::play_unpack(&stagehand),
        "foreign" => boundaries::play_foreign(),
        "connect" => listening::play_connect(),
        "metadata" => listening::play_metadata(&stagehand),
        "replace" => listening::play_replace(&stagehand),
        "trace" => listening::play_trace(&stagehand),
        "work" => work::play(&stagehand),
        _ => println!("scene: unknown"),
    }
    ExitCode::SUCCESS
}

fn program(name: &str) -> filter::Program {
    let spec = match name {
        "unpack" => Spec {
            stage: Stage::Unpack,
            listener: false,
            local_sockets: false,
            broker_metadata: false,
            trace: false,
        },
        "listener" => Spec {
            stage: Stage::Program,
            listener: true,
            local_sockets: true,
            broker_metadata: false,
            trace: false,
        },
        "tracer" => Spec {
            stage: Stage::Program,
            listener: true,
            local_sockets: true,
            broker_metadata: false,
            trace: true,
        },
        "broker" => Spec {
            stage: Stage::Program,
            listener: true,
            local_sockets: true,
            broker_metadata: true,
            trace: false,
        },
        _ => Spec {
            stage: Stage::Program,
            listener: false,
            local_sockets: true,
            broker_metadata: false,
            trace: false,
        },
    };
    let arch = match (name, Arch::current()) {
        ("foreign", Arch::X86_64) => Arch::Aarch64,
        ("foreign", Arch::Aarch64) => Arch::X86_64,
        (_, current) => current,
    };
    filter::compile(arch, &spec)
}

/// Sends the listener to the parent and closes it here.
fn send(link: BorrowedFd<'_>, listener: OwnedFd) {
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let descriptors = [listener.as_fd()];
    assert!(control.push(SendAncillaryMessage::ScmRights(&descriptors)));
    rustix::net::sendmsg(
        link,
        &[IoSlice::new(b"f")],
        &mut control,
        SendFlags::empty(),
    )
    .unwrap();
}
