//! What hostile builds are after, laid out and looked at from outside: one [`crate::Prey`] a kind of harm.
//!
//! The deeds themselves are sdists, `tests/backends/*/deed.py`; [`Deed`] pairs each with its prey.

mod bounds;
mod deeds;
mod files;
mod granted;
mod handed;
mod held;
mod host;
mod kernel;
mod others;
mod races;
mod sockets;
mod stores;
mod tenants;

pub use bounds::Bounds;
pub use deeds::{Deed, Tried};
pub use files::{Ground, Secrets, SetId, Variables};
pub use granted::Granted;
pub use held::{Inherited, Watched};
pub use host::{Facts, Orders};
pub use kernel::Kernel;
pub use others::{Daemons, Keeper, Namespaces, Outliving, Tuned, Typed, Victims};
pub use races::Lured;
pub use sockets::{Doors, Ears};
pub use stores::Stores;
pub use tenants::Tenants;
