//! What a worker shall enforce, in the kernel's words: complete, sorted, no defaults.

use serde::{Deserialize, Serialize};

use crate::path::AbsPath;

/// Access below a path, compiled from a policy's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Access {
    /// Open and list for reading.
    Read,
    /// Read and execute.
    ReadExecute,
    /// Everything a build does to its own rooms: no devices, no device ioctls.
    ReadWrite,
    /// Read and write of one existing file or device, as `/dev/null` wants.
    ReadWriteFile,
}

/// One `path_beneath` rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PathGrant {
    /// The path as the host sees it.
    pub path: AbsPath,
    /// Where it appears to the build at level `ns`; the same path where `None`.
    pub seen_as: Option<AbsPath>,
    /// What is allowed below it.
    pub access: Access,
    /// A missing path is an error unless this is set.
    pub optional: bool,
}

/// Namespaces to enter first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Namespaces {
    /// None: level `confined` and below.
    None,
    /// A user namespace of its own and all others in it (a supervisor that is not root).
    WithUser,
    /// All but the user namespace (a supervisor that is root).
    WithoutUser,
}

/// What a worker's program may do with a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Network {
    /// Nothing: every build, and everything else that runs a stranger's code.
    None,
    /// Internet sockets that it opens itself: git while it fetches. No socket of the host's.
    Outbound,
}

/// What a worker shall enforce.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confinement {
    /// Namespaces to enter.
    pub namespaces: Namespaces,
    /// Run the build under this uid and gid; only with [`Namespaces::WithoutUser`].
    pub build_uid: Option<u32>,
    /// Use Landlock; without it the level is `ns-only` at most.
    pub landlock: bool,
    /// The lowest Landlock ABI to go on with (6 for `confined`, 1 for `ns`).
    pub landlock_floor: u32,
    /// What the program may do with a network.
    pub network: Network,
    /// What the hook stage may reach. The rooms are granted by [`crate::Rooms`], not here.
    pub grants: Vec<PathGrant>,
    /// A file that exists on the host and must not open from inside: the self-test tries it.
    pub must_not_open: AbsPath,
    /// Record what the program opens and starts. What is enforced does not change.
    pub trace: bool,
}
