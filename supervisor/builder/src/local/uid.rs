//! Build uids: a supervisor that runs as root gives each build a uid of its own, leased host-wide.
//!
//! The lease is an abstract socket name: it is gone with its holder, whatever happens to it, and is
//! the same for every cache root of the host (of the network namespace, to be exact).

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

/// The first uid: the range that systems keep for users that exist only for a while.
const FIRST: u32 = 61_984;
/// How many there are.
const COUNT: u32 = 128;

/// A uid that no other build of this host has, for as long as this lives.
#[derive(Debug)]
pub(crate) struct UidLease {
    uid: u32,
    _name: UnixListener,
}

impl UidLease {
    /// Leases a uid; `None` if all are taken.
    pub(crate) fn take() -> Option<Self> {
        (FIRST..FIRST + COUNT).find_map(Self::take_this)
    }

    /// Leases one uid; `None` if it is taken.
    pub(crate) fn take_this(uid: u32) -> Option<Self> {
        let name = SocketAddr::from_abstract_name(format!("fumehood-build-uid-{uid}")).ok()?;
        let listener = UnixListener::bind_addr(&name).ok()?;
        Some(Self {
            uid,
            _name: listener,
        })
    }

    /// Returns the uid.
    pub(crate) fn uid(&self) -> u32 {
        self.uid
    }
}
