//! Sources in git repositories: fetched, checked out and packed, all by git inside of workers.
//!
//! ```text
//! acquire     the corridor: address and reference -> one blob              acquire.rs
//! store       the bare repository in the cache, its lock, fetching         store.rs
//! checkout    the work tree, submodules by the same rules                  checkout.rs
//! history     the `.git` that goes into the archive: commits, tags, tree   history.rs
//! folder      the same for a local folder                                  folder.rs
//! command     one git command in one worker                                command.rs
//! credentials how they reach git, and how they are hidden                  credentials.rs
//! programs    which programs, which files of the system, which settings    programs.rs
//! ```
//!
//! The supervisor reads what git wrote as a stranger's: by checked names, bounded, never followed.

mod acquire;
mod checkout;
mod command;
mod credentials;
mod error;
mod folder;
mod history;
mod programs;
mod store;

pub(crate) use acquire::{Asked, acquire};
pub use error::GitError;
pub(crate) use folder::stand_in;
pub(crate) use store::OnWait;
