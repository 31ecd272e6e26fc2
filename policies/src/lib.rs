//! What a build may touch: policies as data with a reason for each grant, and their compilation.
//!
//! A policy can say: which paths a build may read or execute, which devices it may write, which
//! variables it sees, which programs' folders are on its `PATH`, and its limits. It can not say:
//! network (a build has none), packages (which policy a build gets is a setting), or anything that
//! only holds at one isolation level. Writing needs no grant: a build may write its own rooms.
//!
//! ```text
//! text --parse--> Policy --compile(Places, Extras)--> Compiled --> the worker's assignment
//!                   |
//!                   +-- digest (for keys), explain (for people), narrower (for layers)
//! what a build was refused --remedy--> the narrowest grant, a policy, or the reason why neither
//! ```
//!
//! Everything here is pure: whether a path exists is asked through [`Places::exists`].

mod builtin;
mod compile;
mod digest;
mod document;
mod environment;
mod error;
mod explain;
mod grant;
mod guard;
mod limits;
mod narrow;
mod place;
mod policy;
mod remedy;
mod rights;
#[cfg(test)]
mod tests;

pub use compile::{Compiled, Extra, Places};
pub use document::{Document, Section};
pub use error::{Mistake, PolicyError};
pub use policy::Policy;
pub use remedy::{OffLimits, Remedy, remedy};
