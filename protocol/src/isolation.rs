//! What the kernel in fact enforced: the level, and one entry for each guarantee.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How strong the isolation of a worker is, weakest first so that levels compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Nothing is enforced.
    None,
    /// Namespaces and the filter, but a kernel without Landlock.
    NsOnly,
    /// Landlock ABI 3 to 5 and the filter: no scopes for signals and abstract sockets.
    Reduced,
    /// Landlock ABI 6 or later and the filter, without namespaces.
    Confined,
    /// All namespaces, Landlock and the filter.
    Ns,
}

impl Level {
    /// Returns the word used in flags, records and reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::NsOnly => "ns-only",
            Self::Reduced => "reduced",
            Self::Confined => "confined",
            Self::Ns => "ns",
        }
    }
}

impl std::fmt::Display for Level {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.word())
    }
}

impl std::str::FromStr for Level {
    type Err = String;
    fn from_str(word: &str) -> Result<Self, String> {
        [
            Self::None,
            Self::NsOnly,
            Self::Reduced,
            Self::Confined,
            Self::Ns,
        ]
        .into_iter()
        .find(|level| level.word() == word)
        .ok_or_else(|| format!("`{word}` is not a level: ns, confined, reduced, ns-only or none"))
    }
}

/// One thing that isolation promises. The names are stable and part of every report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Guarantee {
    /// Files outside the grants can not be read.
    FsRead,
    /// Files outside the rooms can not be written.
    FsWrite,
    /// Modes, owners, times and attributes outside the rooms can not be changed.
    Metadata,
    /// No Internet protocol in or out.
    IpNet,
    /// No unix socket of the host.
    UnixNet,
    /// No signal leaves the build.
    Signals,
    /// No foreign process can be traced or read.
    Ptrace,
    /// No shared memory, semaphores, queues or keys of the host.
    Ipc,
    /// Foreign processes are not visible.
    ProcView,
    /// No process outlives the build.
    OrphanKill,
    /// Memory of the whole build is bounded.
    Memory,
    /// The number of processes is bounded.
    Pids,
    /// Bytes and inodes of the scratch are bounded.
    Disk,
    /// Refused acts are reported.
    Reporting,
}

impl Guarantee {
    /// Every guarantee, in the order of reports.
    pub const ALL: [Self; 14] = [
        Self::FsRead,
        Self::FsWrite,
        Self::Metadata,
        Self::IpNet,
        Self::UnixNet,
        Self::Signals,
        Self::Ptrace,
        Self::Ipc,
        Self::ProcView,
        Self::OrphanKill,
        Self::Memory,
        Self::Pids,
        Self::Disk,
        Self::Reporting,
    ];

    /// Returns the word used in flags, records and reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::FsRead => "fs-read",
            Self::FsWrite => "fs-write",
            Self::Metadata => "metadata",
            Self::IpNet => "ip-net",
            Self::UnixNet => "unix-net",
            Self::Signals => "signals",
            Self::Ptrace => "ptrace",
            Self::Ipc => "ipc",
            Self::ProcView => "proc-view",
            Self::OrphanKill => "orphan-kill",
            Self::Memory => "memory",
            Self::Pids => "pids",
            Self::Disk => "disk",
            Self::Reporting => "reporting",
        }
    }
}

impl std::str::FromStr for Guarantee {
    type Err = String;
    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|guarantee| guarantee.word() == word)
            .ok_or_else(|| {
                let words: Vec<_> = Self::ALL.iter().map(|guarantee| guarantee.word()).collect();
                format!("`{word}` is not a guarantee: {}", words.join(", "))
            })
    }
}

/// How far a guarantee holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Enforcement {
    /// Nothing stands in the way.
    Absent,
    /// It holds with a gap that the documentation of the level names.
    Partial,
    /// It holds.
    Enforced,
}

impl Enforcement {
    /// Returns the word used in records and reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Partial => "partial",
            Self::Enforced => "enforced",
        }
    }
}

/// The vector of guarantees.
pub type Guarantees = BTreeMap<Guarantee, Enforcement>;

/// What the worker says the kernel enforced, sent before any byte of a stranger is touched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IsolationReport {
    /// The level reached.
    pub level: Level,
    /// The Landlock ABI that the kernel runs; 0 without Landlock.
    pub landlock_abi: u32,
    /// The bits of fixed Landlock errata, 0 where the kernel can not tell.
    pub landlock_errata: u32,
    /// Whether the filter has a listener.
    pub listener: bool,
    /// The uid of the build as the host sees it.
    pub uid: u32,
    /// One entry for each guarantee.
    pub guarantees: Guarantees,
}
