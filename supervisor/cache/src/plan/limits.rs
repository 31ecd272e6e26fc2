//! Limits that need no command: how long logs and kept scratches stay, and how much of them.

use std::time::{Duration, SystemTime};

use super::{Plan, Reason};
use crate::{Inventory, Item, What};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How many, how long and how much of one kind is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keeping {
    /// The newest ones stay, whatever their age.
    pub newest: usize,
    /// Those younger than this stay.
    pub younger: Duration,
    /// Bytes; beyond them the oldest go, but never the newest one.
    pub bytes: u64,
}

impl Keeping {
    /// Of logs.
    pub const LOGS: Self = Self {
        newest: 50,
        younger: DAY.saturating_mul(30),
        bytes: 512 << 20,
    };
    /// Of scratches that `--keep-scratch` left.
    pub const SCRATCHES: Self = Self {
        newest: 0,
        younger: DAY.saturating_mul(7),
        bytes: 8 << 30,
    };

    fn apply(self, items: &mut [&Item], now: SystemTime, plan: &mut Plan) {
        items.sort_by(|one, other| (other.used, &one.path).cmp(&(one.used, &other.path)));
        let mut total = 0_u64;
        for (at, item) in items.iter().enumerate() {
            total = total.saturating_add(item.bytes);
            let age = now.duration_since(item.used).unwrap_or_default();
            if at >= self.newest && age >= self.younger {
                plan.add(item, Reason::Old { kept: self.younger });
            } else if at > 0 && total > self.bytes {
                plan.add(item, Reason::TooMuch { most: self.bytes });
            }
        }
    }
}

impl Plan {
    /// Plans what every run does on its way: old logs and kept scratches go.
    #[must_use]
    pub fn tidy(found: &Inventory, now: SystemTime) -> Self {
        let mut plan = Self::default();
        for (what, keeping) in [
            (What::Log, Keeping::LOGS),
            (What::KeptScratch, Keeping::SCRATCHES),
        ] {
            let mut items: Vec<_> = found
                .items
                .iter()
                .filter(|item| item.what == what)
                .collect();
            keeping.apply(&mut items, now, &mut plan);
        }
        plan
    }
}
