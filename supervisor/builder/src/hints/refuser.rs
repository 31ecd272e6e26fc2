//! Whose limit a build may have met that was refused a process. Nothing shows it: what is shown ends a build with the
//! error of its limit.

use protocol::{Enforcement, Guarantee, IsolationReport, Limits};

/// Who may have refused a process or a thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Refuser {
    /// A limit around the build alone: its own one ends a build and refuses nothing.
    #[default]
    Around,
    /// Its own one as well, of so many processes.
    Own(u64),
    /// Its own one as well, among which others of its uid count.
    Shared(u64),
}

impl Refuser {
    /// Tells from what held while a build ran. `RLIMIT_NPROC` does not bind uid 0.
    pub(crate) fn of(isolation: &IsolationReport, limits: &Limits) -> Self {
        let pids = isolation.guarantees.get(&Guarantee::Pids);
        match (isolation.uid, pids) {
            (0, _) => Self::Around,
            (_, Some(Enforcement::Enforced)) => Self::Own(limits.processes),
            _ => Self::Shared(limits.processes),
        }
    }

    /// Says what may have refused it, and what would raise that.
    pub(super) fn advice(self) -> String {
        const SEEN: &str = "it seems that a process or a thread was refused";
        const AROUND: &str = "a limit of the user, the container or the system";
        let own = |limit: u64, others: &str| {
            let more = limit.saturating_mul(2);
            format!(
                "{SEEN}: by its limit of {limit} processes{others}, which --processes {more} raises, or by {AROUND}, which has to be raised there"
            )
        };
        match self {
            Self::Around => format!("{SEEN}: by {AROUND}, which has to be raised there"),
            Self::Own(limit) => own(limit, ""),
            Self::Shared(limit) => own(limit, ", among which others of the same user count here"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::Level;

    fn told(uid: u32, pids: Enforcement) -> String {
        let isolation = IsolationReport {
            level: Level::Confined,
            landlock_abi: 6,
            landlock_errata: 0,
            listener: true,
            uid,
            guarantees: [(Guarantee::Pids, pids)].into(),
        };
        let limits = Limits {
            processes: 40,
            ..policies::Policy::builtin("strict")
                .unwrap()
                .limits()
                .clone()
        };
        Refuser::of(&isolation, &limits).advice()
    }

    #[test]
    fn the_flag_is_named_where_the_builds_own_limit_may_have_refused_it() {
        let shared = told(1000, Enforcement::Partial);
        assert!(
            shared.contains("limit of 40 processes, among which others of the same user"),
            "{shared}"
        );
        assert!(shared.contains("--processes 80"), "{shared}");
        let own = told(61_000, Enforcement::Enforced);
        assert!(
            own.contains("limit of 40 processes, which --processes 80"),
            "{own}"
        );
        for pids in [Enforcement::Partial, Enforcement::Enforced] {
            let root = told(0, pids);
            assert!(
                !root.contains("--processes") && root.contains("the container"),
                "{root}"
            );
        }
    }
}
