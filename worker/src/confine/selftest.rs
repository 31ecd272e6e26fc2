//! The self-test of the child that is about to become the build: acts that must fail, with the
//! error that they must fail with. A success means that the sandbox does not hold.

use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::kill;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
use nix::sys::stat::Mode;
use nix::unistd::getppid;
use protocol::{Fault, Network, Step};

use super::boundary::Boundary;
use crate::error::fault;

/// Tries what must fail. `outside` exists on the host and is granted to no one; `beside` is a
/// folder in which nothing may be made; `signals` says whether the reaper must be out of reach.
pub(crate) fn self_test(
    outside: &Path,
    beside: &Path,
    signals: bool,
    network: Network,
    boundary: Boundary,
) -> Result<(), Fault> {
    must_fail(
        "open a file that no grant covers",
        open(outside, OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty()),
        &[Errno::EACCES, Errno::ENOENT],
    )?;
    must_fail(
        "create a file beside the rooms",
        open(
            &beside.join("self-test"),
            OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC,
            Mode::from_bits_truncate(0o600),
        ),
        &[Errno::EACCES, Errno::ENOENT, Errno::EROFS],
    )?;
    must_fail(
        "create a user namespace",
        unshare(CloneFlags::CLONE_NEWUSER),
        &[Errno::EPERM],
    )?;
    let refused_socket = |act, family| {
        let made = socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC, None);
        must_fail(act, made, &[Errno::EACCES])
    };
    if network == Network::None {
        refused_socket("open an Internet socket", AddressFamily::Inet)?;
    }
    // Who may reach out has no way to the host's own services instead.
    if network == Network::Outbound || boundary == Boundary::Descent {
        refused_socket("open a local socket", AddressFamily::Unix)?;
    }
    if signals {
        must_fail("signal the reaper", kill(getppid(), None), &[Errno::EPERM])?;
    }
    Ok(())
}

fn must_fail<T>(act: &str, outcome: nix::Result<T>, expected: &[Errno]) -> Result<(), Fault> {
    match outcome {
        Err(errno) if expected.contains(&errno) => Ok(()),
        Err(errno) => Err(Fault {
            step: Step::SelfTest,
            errno: Some(errno as i32),
            doing: format!("{act}: it failed, but not as it must"),
        }),
        Ok(_) => Err(fault(Step::SelfTest, format!("{act}: it succeeded"))),
    }
}
