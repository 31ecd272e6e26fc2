//! Installing wheels into an environment of the user's, or into a plain folder.
//!
//! What a wheel becomes is spread as for build environments (`crate::install`), into a folder inside the
//! target's own file system; then it is moved into place, package by package, by renames that a journal
//! tells of beforehand. Whatever ends the program, the next one puts each package back to the old version
//! or on to the new one. Nothing is run and no link is followed.
//!
//! `target` says where, `installed` what is there, `owners` whose, `prepare` lays out what comes, `plan`
//! decides the renames, `journal` remembers them, `carry` does and undoes them, `session` holds the lock.

mod beneath;
mod carry;
mod error;
mod installed;
mod journal;
mod old;
mod owners;
mod plan;
mod prepare;
mod session;
mod target;

#[cfg(test)]
mod tests;

pub use error::TargetError;
pub use installed::{Distribution, installed};
pub use prepare::{Prepared, Wanted};
pub use session::{Change, Session};
pub use target::Target;
