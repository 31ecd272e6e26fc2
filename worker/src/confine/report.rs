//! The level and the vector of guarantees, from what was in fact enforced.

use nix::unistd::geteuid;
use protocol::{
    Access, Confinement, Enforcement, Guarantee, Guarantees, IsolationReport, Level, Namespaces,
    Network,
};

use super::boundary::Boundary;
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
pub(crate) fn report(support: Support, confinement: &Confinement, stage: Stage) -> IsolationReport {
    let in_namespaces = confinement.namespaces != Namespaces::None;
    // A folder of the host that the build may write is a channel to whoever else writes there.
    let shared = !in_namespaces
        && confinement
            .grants
            .iter()
            .any(|grant| grant.access == Access::ReadWrite);
    let ip_net = match confinement.network {
        Network::None => Enforcement::Enforced,
        Network::Outbound => Enforcement::Absent,
    };
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
    let boundary = Boundary::of(confinement, support);
    let without_boundary = |then: Enforcement| {
        if boundary == Boundary::Descent {
            then
        } else {
            Enforcement::Enforced
        }
    };
    let guarantees = Guarantees::from([
        (
            Guarantee::FsRead,
            yes(!shared && (in_namespaces || support.abi >= 1)),
        ),
        (
            Guarantee::FsWrite,
            yes(!shared && (in_namespaces || support.abi >= 3)),
        ),
        (Guarantee::Metadata, metadata),
        (Guarantee::IpNet, ip_net),
        // Without a network namespace an outsider may connect to a name that the build listens on;
        // where nothing is scoped the build can make no socket to listen on.
        (Guarantee::UnixNet, yes(boundary != Boundary::Scope)),
        (Guarantee::Signals, without_boundary(Enforcement::Absent)),
        (Guarantee::Ptrace, Enforcement::Enforced),
        (Guarantee::Ipc, yes(!shared)),
        (Guarantee::ProcView, yes(in_namespaces || support.abi >= 1)),
        // What the build outruns or does to its reaper is left to the supervisor.
        (
            Guarantee::OrphanKill,
            without_boundary(Enforcement::Partial),
        ),
        (Guarantee::Memory, Enforcement::Partial),
        (Guarantee::Pids, pids(uid, confinement.build_uid.is_some())),
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
