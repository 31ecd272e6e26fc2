//! Deeds tried in one environment, and what that means for each row.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use protocol::Guarantee;
use serde::{Deserialize, Serialize};

use super::rows::Row;
use crate::prey::{Deed, Tried};
use crate::runner::Runner;
use crate::setting::Setting;
use crate::site::Site;
use crate::world::World;

/// What a row came to in an environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Nothing of it was done.
    Closed,
    /// Some of its ways led to harm.
    Partly,
    /// All of them did.
    Open,
    /// What it is after does not exist there.
    NoPrey,
    /// No deed tries it here.
    Untried,
}

impl fmt::Display for Cell {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Closed => "closed",
            Self::Partly => "partly open",
            Self::Open => "open",
            Self::NoPrey => "no prey",
            Self::Untried => "–",
        })
    }
}

/// All deeds in one environment.
#[derive(Debug, Serialize, Deserialize)]
pub struct Column {
    /// The environment.
    pub name: String,
    /// Whether it is the program under test that builds there.
    pub is_own: bool,
    tried: BTreeMap<String, Tried>,
}

impl Column {
    /// Tries deeds.
    #[must_use]
    pub fn try_all(
        site: &Site,
        name: &str,
        setting: Setting,
        runner: &Runner,
        deeds: &[Deed],
    ) -> Self {
        let tried = at_once(deeds, |deed| {
            let world = World::new(site, setting);
            (deed.fixture.to_owned(), deed.attempt(&world, runner))
        });
        Self {
            name: name.to_owned(),
            is_own: matches!(runner, Runner::Own),
            tried: tried.into_iter().collect(),
        }
    }

    /// The level that the program told in this environment.
    #[must_use]
    pub fn level(&self) -> Option<&str> {
        self.tried.values().find_map(|tried| tried.level.as_deref())
    }

    /// What came of a deed.
    #[must_use]
    pub fn tried(&self, fixture: &str) -> Option<&Tried> {
        self.tried.get(fixture)
    }

    /// What came of each deed.
    pub fn all_tried(&self) -> impl Iterator<Item = (&str, &Tried)> {
        self.tried
            .iter()
            .map(|(fixture, tried)| (fixture.as_str(), tried))
    }

    /// What a row came to.
    #[must_use]
    pub fn cell(&self, row: &Row) -> Cell {
        let mut done = Vec::new();
        let mut is_looked_for = false;
        for (fixture, ways) in &row.deeds {
            let Some(tried) = self.tried.get(fixture.as_str()) else {
                continue;
            };
            let mine = |harm: &&String| ways.iter().any(|way| is(way, harm));
            let possible: Vec<_> = tried.possible.iter().filter(mine).collect();
            is_looked_for |= possible.is_empty() && tried.built;
            // A build that came to no end may have been ended before its deed: without harm it shows nothing.
            let harms = possible.into_iter().map(|way| tried.harm.contains(way));
            done.extend(harms.filter(|harm| *harm || tried.built));
        }
        match (done.iter().any(|harm| *harm), done.iter().all(|harm| *harm)) {
            (false, true) if is_looked_for => Cell::NoPrey,
            (false, true) => Cell::Untried,
            (false, false) => Cell::Closed,
            (true, true) => Cell::Open,
            (true, false) => Cell::Partly,
        }
    }

    /// Guarantees that are printed as enforced although a row of theirs is open.
    #[must_use]
    pub fn broken_words(&self, rows: &[Row]) -> Vec<Guarantee> {
        let enforced = |guarantee: &Guarantee| {
            self.tried.values().any(|tried| {
                let word = tried.guarantees.get(guarantee.word());
                word.is_some_and(|word| word == "enforced")
            })
        };
        let open = |guarantee: &Guarantee| {
            rows.iter().any(|row| {
                row.guarantee == Some(*guarantee)
                    && matches!(self.cell(row), Cell::Open | Cell::Partly)
            })
        };
        let all = Guarantee::ALL.into_iter();
        all.filter(|one| enforced(one) && open(one)).collect()
    }
}

/// How many deeds are done at once: most of each is waiting.
const AT_ONCE: usize = 4;

/// Does something with each of many, a few at a time; returns what came of them in their order.
///
/// # Panics
/// When one of them does.
pub fn at_once<One: Sync, Came: Send>(all: &[One], act: impl Fn(&One) -> Came + Sync) -> Vec<Came> {
    let next = AtomicUsize::new(0);
    let came: Mutex<BTreeMap<usize, Came>> = Mutex::default();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(one) = all.get(number) else { break };
                    let done = act(one);
                    came.lock().expect("nobody panics").insert(number, done);
                }
            });
        }
    });
    let came = came.into_inner().expect("nobody panics");
    came.into_values().collect()
}

/// Whether a row's word means a harm. A folder means whatever is found in it.
pub(super) fn is(way: &str, harm: &str) -> bool {
    way == harm || (way.starts_with('/') && harm.starts_with(way))
}
