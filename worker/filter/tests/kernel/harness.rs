//! Runs the cases and their children. Not here: what a child does (`child`).
#![expect(
    clippy::print_stdout,
    reason = "a test program without libtest talks for itself"
)]

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::panic;
use std::path::Path;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

static NOT_RUN: AtomicUsize = AtomicUsize::new(0);

/// Says that something could not be shown on this machine.
pub(crate) fn not_run(what: &str, why: &str) {
    NOT_RUN.fetch_add(1, Ordering::Relaxed);
    println!("NOT RUN: {what} ({why})");
}

/// Runs all cases whose name contains one of the given words; understands `--list` as libtest does.
pub(crate) fn main(cases: &[(&str, fn())], arguments: &[String]) -> ExitCode {
    let words: Vec<&String> = arguments
        .iter()
        .filter(|word| !word.starts_with('-'))
        .collect();
    let chosen = |name: &str| words.is_empty() || words.iter().any(|word| name.contains(*word));
    let (mut ran, mut failed) = (0, Vec::new());
    for (name, case) in cases.iter().filter(|(name, _)| chosen(name)) {
        if arguments.iter().any(|word| word == "--list") {
            println!("{name}: test");
            continue;
        }
        let passed = panic::catch_unwind(case).is_ok();
        println!("test {name} ... {}", if passed { "ok" } else { "FAILED" });
        ran += 1;
        if !passed {
            failed.push(*name);
        }
    }
    println!(
        "kernel: {ran} run, {} failed, {} NOT RUN",
        failed.len(),
        NOT_RUN.load(Ordering::Relaxed)
    );
    if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Who a child is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Identity {
    Same,
    Nobody,
}

/// All identities this process can give a child.
pub(crate) fn identities() -> Vec<Identity> {
    if rustix::process::geteuid().is_root() {
        vec![Identity::Same, Identity::Nobody]
    } else {
        vec![Identity::Same]
    }
}

/// A folder that a child of any identity can write to.
pub(crate) fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    folder
}

/// A running child and the far end of the socket that is its standard input.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) link: UnixStream,
}

/// Starts a child in a scene (`child` lists them) with its filters.
pub(crate) fn start(scene: &str, filters: &str, identity: Identity, folder: &Path) -> Running {
    let (link, inner) = UnixStream::pair().unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["child", scene, filters, &format!("{identity:?}")])
        .arg(folder)
        .process_group(0)
        .stdin(Stdio::from(OwnedFd::from(inner)))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    Running { child, link }
}

impl Running {
    /// Waits for the end and returns what the child said, one `name: outcome` a line.
    pub(crate) fn finish(mut self) -> (ExitStatus, BTreeMap<String, String>) {
        let mut said = String::new();
        self.child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        let status = self.child.wait().unwrap();
        let lines = said.lines().filter_map(|line| line.split_once(": "));
        (
            status,
            lines
                .map(|(name, outcome)| (name.to_owned(), outcome.to_owned()))
                .collect(),
        )
    }

    /// Waits for a child that must succeed.
    pub(crate) fn outcomes(self) -> BTreeMap<String, String> {
        let (status, outcomes) = self.finish();
        assert!(
            status.success(),
            "the child ended with {status} after {outcomes:?}"
        );
        outcomes
    }

    /// Receives the listener that the child sends once it is behind its filter.
    pub(crate) fn listener(&self) -> filter::Listener {
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = rustix::net::RecvAncillaryBuffer::new(&mut space);
        let mut byte = [0];
        let received = rustix::net::recvmsg(
            &self.link,
            &mut [io::IoSliceMut::new(&mut byte)],
            &mut control,
            rustix::net::RecvFlags::CMSG_CLOEXEC,
        );
        assert_eq!(
            received.unwrap().bytes,
            1,
            "the child ended before it sent its listener"
        );
        let descriptor = control.drain().find_map(|message| match message {
            rustix::net::RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
            _ => None,
        });
        filter::Listener::new(descriptor.expect("the message carries a descriptor"))
    }
}
