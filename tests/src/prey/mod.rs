//! What hostile builds are after, laid out and looked at from outside: one [`crate::Prey`] a kind of harm.
//!
//! The deeds themselves are sdists, `tests/backends/*/deed.py`; [`Deed`] pairs each with its prey.

mod bounds;
mod channels;
mod deeds;
mod excess;
mod files;
mod granted;
mod handed;
mod held;
mod host;
mod kernel;
mod loot;
mod notice;
mod others;
mod programs;
mod races;
mod remains;
mod sockets;
mod stores;
mod tenants;
mod watchers;

pub use bounds::Bounds;
pub use channels::{Caller, Channel};
pub use deeds::{Deed, Tried};
pub use files::{Ground, Secrets, SetId, Variables};
pub use granted::Granted;
pub use held::{Inherited, Watched};
pub use host::{Facts, Orders};
pub use kernel::Kernel;
pub use loot::{Declared, Hidden};
pub use notice::Untold;
pub use others::{Daemons, Keeper, Namespaces, Outliving, Tuned, Typed, Victims};
pub use programs::Programs;
pub use races::Lured;
pub use remains::{DeepTree, Locked};
pub use sockets::{Doors, Ears};
pub use stores::Stores;
pub use tenants::Tenants;

use std::collections::BTreeSet;

use crate::{Outcome, Run, Sdist, World};

/// The ways whose secrets, words or facts can be found in what a build left or printed.
fn told<W: AsRef<str>, S: AsRef<str>>(
    done: &Outcome<'_, '_>,
    by_way: impl IntoIterator<Item = (W, S)>,
) -> BTreeSet<String> {
    let told = by_way.into_iter();
    let told = told.filter(|(_, secret)| done.tells(secret.as_ref()).is_some());
    told.map(|(way, _)| way.as_ref().to_owned()).collect()
}

/// Runs a deed with nothing between it and the user, in a folder of its own.
fn alone<'world, 'site>(world: &'world World<'site>, sdist: &Sdist) -> Run<'world, 'site> {
    let deed = world.lay("d", sdist);
    Run::new(world, world.python().path.as_os_str())
        .args(["-I", "-B"])
        .args([
            deed.join("control.py"),
            deed.clone(),
            deed.join("targets.json"),
        ])
        .directory(&world.folder("q/r"))
        .unconfined()
}
