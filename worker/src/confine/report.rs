//! The level and the vector of guarantees, from what was in fact enforced.

use nix::unistd::geteuid;
use protocol::{Enforcement, Guarantee, Guarantees, IsolationReport, Level, Namespaces};

use super::landlock::Support;

/// What holds the metadata of foreign files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// A program's stage whose filter has a listener: the broker holds it.
    Brokered,
    /// A program's stage without one: at `confined` nothing holds it.
    Unbrokered,
    /// No program, only the unpacker, whose filter refuses every change of metadata.
    Unpacking,
}

/// Computes the report for what `stage` enforces.
pub(crate) fn report(
    support: Support,
    namespaces: Namespaces,
    dedicated_uid: bool,
    stage: Stage,
) -> IsolationReport {
    let in_namespaces = namespaces != Namespaces::None;
    let uid = geteuid().as_raw();
    let listener = stage == Stage::Brokered;
    let metadata = if in_namespaces || stage != Stage::Unbrokered {
        Enforcement::Enforced
    } else {
        Enforcement::Absent
    };
    let yes = |holds: bool| {
        if holds {
            Enforcement::Enforced
        } else {
            Enforcement::Partial
        }
    };
    let scoped = in_namespaces || support.scopes();
    let guarantees = Guarantees::from([
        (Guarantee::FsRead, yes(in_namespaces || support.abi >= 1)),
        (Guarantee::FsWrite, yes(in_namespaces || support.abi >= 3)),
        (Guarantee::Metadata, metadata),
        (Guarantee::IpNet, Enforcement::Enforced),
        (Guarantee::UnixNet, Enforcement::Enforced),
        (Guarantee::Signals, yes(scoped)),
        (Guarantee::Ptrace, Enforcement::Enforced),
        (Guarantee::Ipc, Enforcement::Enforced),
        (Guarantee::ProcView, yes(in_namespaces || support.abi >= 1)),
        (Guarantee::OrphanKill, yes(scoped)),
        (Guarantee::Memory, Enforcement::Partial),
        (Guarantee::Pids, pids(uid, dedicated_uid)),
        (Guarantee::Disk, Enforcement::Partial),
        (
            Guarantee::Reporting,
            if listener {
                Enforcement::Enforced
            } else {
                Enforcement::Absent
            },
        ),
    ]);
    // A build as uid 0 that can change the mode of any file of the host is not confined.
    let exposed = uid == 0 && metadata == Enforcement::Absent;
    let level = match (in_namespaces, support.abi) {
        (true, 1..) => Level::Ns,
        (true, 0) => Level::NsOnly,
        (false, 6..) if !exposed => Level::Confined,
        (false, 3..) => Level::Reduced,
        (false, _) => Level::None,
    };
    IsolationReport {
        level,
        landlock_abi: support.abi,
        landlock_errata: support.errata,
        listener,
        uid,
        guarantees,
    }
}

/// `RLIMIT_NPROC` does not bind uid 0, and counts every process of a uid that is shared.
fn pids(uid: u32, dedicated_uid: bool) -> Enforcement {
    match (uid, dedicated_uid) {
        (0, _) => Enforcement::Absent,
        (_, true) => Enforcement::Enforced,
        (_, false) => Enforcement::Partial,
    }
}
