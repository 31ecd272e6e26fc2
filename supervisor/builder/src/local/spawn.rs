//! Starting a worker: a fresh process with an empty environment, the link and the log pipe.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::PathBuf;
use std::process::Stdio;

use tokio::net::UnixStream;
use tokio::process::{Child, Command};

use super::live::Live;
use crate::executor::ExecuteError;
use crate::left_out::{Layer, stands};

/// Which program becomes the worker. A parameter, because a test harness that re-executed itself
/// would run the tests again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerProgram {
    /// The executable.
    pub path: PathBuf,
    /// Its `argv[0]`, by which the one executable knows which half it is.
    pub name: String,
}

/// A started worker.
pub(super) struct Started {
    pub(super) child: Child,
    pub(super) pid: u32,
    pub(super) link: UnixStream,
    /// What it writes, where that is not another's to read.
    pub(super) log: Option<OwnedFd>,
}

/// Starts a worker and enters it into `live`. It writes to `stream`, if there is one.
pub(super) fn spawn(
    program: &WorkerProgram,
    live: &Live,
    stream: Option<OwnedFd>,
) -> Result<Started, ExecuteError> {
    let plumbing = |doing| move |source| ExecuteError::Plumbing { doing, source };
    let (ours, theirs) = StdUnixStream::pair().map_err(plumbing("make the link"))?;
    ours.set_nonblocking(true)
        .map_err(plumbing("make the link"))?;
    let (log, log_writer) = match stream {
        Some(stream) => (None, stream),
        None => {
            let (log, writer) = std::io::pipe().map_err(plumbing("make the log pipe"))?;
            (Some(OwnedFd::from(log)), OwnedFd::from(writer))
        }
    };
    let second = log_writer
        .try_clone()
        .map_err(plumbing("make the log pipe"))?;
    let mut command = Command::new(&program.path);
    if stands(Layer::ClearingVariables) {
        command.env_clear();
    }
    command
        .arg0(&program.name)
        .current_dir("/")
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::from(log_writer))
        .stderr(Stdio::from(second));
    let mut pids = live.lock();
    let child = command.spawn().map_err(|source| ExecuteError::Spawn {
        program: program.path.clone(),
        source,
    })?;
    let pid = child.id().unwrap_or(0);
    pids.enter(pid);
    drop(pids);
    Ok(Started {
        child,
        pid,
        link: UnixStream::from_std(ours).map_err(plumbing("make the link"))?,
        log,
    })
}
