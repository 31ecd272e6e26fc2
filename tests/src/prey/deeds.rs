//! Every deed with its prey, so that one loop can try them all.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{
    Bounds, Caller, Channel, Daemons, Declared, DeepTree, Doors, Ears, Facts, Granted, Ground,
    Hidden, Inherited, Keeper, Kernel, Locked, Lured, Namespaces, Orders, Outliving, Programs,
    Secrets, SetId, Stores, Tenants, Tuned, Typed, Untold, Variables, Victims, Watched,
};
use super::{excess, handed, watchers};
use crate::hostile::{Prey, attempt};
use crate::outcome::Outcome;
use crate::runner::Runner;
use crate::world::World;

/// A hostile sdist and what it is after.
#[derive(Clone, Copy)]
pub struct Deed {
    /// The folder in `tests/backends`.
    pub fixture: &'static str,
    act: fn(&World<'_>, &Runner) -> Tried,
}

/// What came of a deed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Tried {
    /// All that it does when nothing stops it.
    pub possible: BTreeSet<String>,
    /// What it did, seen from outside.
    pub harm: BTreeSet<String>,
    /// Whether the deed came to its end: a build with its wheel, a control at all.
    pub built: bool,
    /// The level, where the program tells one.
    pub level: Option<String>,
    /// The vector of guarantees, where the program tells one.
    pub guarantees: BTreeMap<String, String>,
    /// What the program said, for people.
    pub said: String,
}

macro_rules! deeds {
    ($($fixture:literal: $lay:expr;)*) => {
        [$(Deed { fixture: $fixture, act: |world, runner| attempt(world, runner, $fixture, $lay) }),*]
    };
}

impl Deed {
    /// Every deed.
    pub const ALL: [Self; 16] = deeds! {
        "reads_secrets": Secrets::lay;
        "reads_environment": |_: &World<'_>, _: &Path| Variables::default();
        "writes_outside": Ground::to_be_written;
        "changes_metadata": Ground::to_be_marked;
        "makes_set_id_files": |_: &World<'_>, _: &Path| SetId::default();
        "reads_processes": Keeper::lay;
        "signals_processes": Victims::lay;
        "tunes_processes": Tuned::lay;
        "leaves_daemons": |_: &World<'_>, _: &Path| Daemons;
        "makes_namespaces": |_: &World<'_>, _: &Path| Namespaces::default();
        "connects_to_ports": Ears::ports;
        "connects_to_unix_sockets": Ears::unix;
        "opens_sockets": |_: &World<'_>, _: &Path| Doors::default();
        "reads_kernel_objects": |world: &World<'_>, _: &Path| Stores::lay(world);
        "reads_descriptors": Inherited::lay;
        "watches_files": Watched::lay;
    };

    /// The deeds that take long, or look at what every build has.
    pub const MORE: [Self; 18] = deeds! {
        "goes_unnoticed": Untold::lay;
        "lets_somebody_in": |_: &World<'_>, _: &Path| Caller::default();
        "speaks_on_descriptors": |_: &World<'_>, _: &Path| Channel::default();
        "hides_secrets": Hidden::lay;
        "prints_variables": |_: &World<'_>, _: &Path| Declared::default();
        "runs_programs": Programs::lay;
        "plants_hooks": Ground::checked_out;
        "locks_what_it_may_read": Locked::lay;
        "leaves_a_deep_tree": |world: &World<'_>, _: &Path| DeepTree::lay(world);
        "reads_the_host": |world: &World<'_>, _: &Path| Facts::lay(world);
        "commands_the_terminal": |_: &World<'_>, _: &Path| Orders::default();
        "calls_the_kernel": |world: &World<'_>, _: &Path| Kernel::lay(world);
        "robs_tenants": Tenants::lay;
        "writes_what_it_may_read": Granted::lay;
        "outlives": |_: &World<'_>, _: &Path| Outliving;
        "types_into_the_terminal": Typed::lay;
        "swaps_paths": Lured::lay;
        "waits": |_: &World<'_>, _: &Path| Bounds::default();
    };

    /// What takes more than one run, or is not done by a deed in a build but by what is unpacked or handed over.
    pub const HANDED: [Self; 4] = [
        Self {
            fixture: "uses_up",
            act: excess::overdone,
        },
        Self {
            fixture: "kills_its_reaper",
            act: watchers::ended,
        },
        Self {
            fixture: "bad_output",
            act: handed::wheels,
        },
        Self {
            fixture: "flawed_archives",
            act: handed::archives,
        },
    ];

    /// Lists all of them.
    pub fn all() -> impl Iterator<Item = Self> {
        let deeds = Self::ALL.into_iter().chain(Self::MORE);
        deeds.chain(Self::HANDED)
    }

    /// Returns a deed by its folder.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn named(fixture: &str) -> Self {
        Self::all()
            .find(|deed| deed.fixture == fixture)
            .unwrap_or_else(|| panic!("`{fixture}` is no deed"))
    }

    /// Tries it in a world of its own. A program that hangs, or can not be started, has done what it has done.
    #[must_use]
    pub fn attempt(&self, world: &World<'_>, runner: &Runner) -> Tried {
        catch_unwind(AssertUnwindSafe(|| (self.act)(world, runner))).unwrap_or_else(|panic| {
            let why = panic.downcast_ref::<String>().map(String::as_str);
            let why = why.or_else(|| panic.downcast_ref::<&str>().copied());
            Tried {
                said: format!("it could not be tried: {}", why.unwrap_or_default()),
                ..Tried::default()
            }
        })
    }
}

impl std::fmt::Debug for Deed {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.fixture)
    }
}

impl Tried {
    pub(crate) fn new(prey: &mut impl Prey, done: &Outcome<'_, '_>, built: bool) -> Self {
        let told = serde_json::from_str::<crate::report::Report>(&done.stdout).ok();
        let wheels = told.map(|report| report.wheels).unwrap_or_default();
        let isolation = wheels.into_iter().find_map(|wheel| wheel.isolation);
        Self {
            possible: prey.possible(),
            harm: prey.harm(done),
            built,
            level: isolation.as_ref().map(|one| one.level.clone()),
            guarantees: isolation.map(|one| one.guarantees).unwrap_or_default(),
            said: done.to_string(),
        }
    }
}
