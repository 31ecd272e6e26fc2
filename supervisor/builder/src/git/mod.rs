//! Sources in git repositories: fetched, checked out and packed, all by git inside of workers.
//!
//! ```text
//! acquire     the corridor: address and reference -> one blob              acquire.rs
//! store       the bare repository in the cache, its lock, fetching         store.rs
//! checkout    the work tree, submodules by the same rules                  checkout.rs
//! history     the `.git` that goes into the archive: commits, tags, tree   history.rs
//! reference   what a branch stands for, and stood for before               reference.rs
//! folder      the same for a local folder                                  folder.rs
//! local       repositories on this machine, and what of them is read       local.rs
//! check       whether a repository of the cache is whole                   check.rs
//! command     one git command in one worker                                command.rs
//! means       what commands are run with                                   means.rs
//! answer      what git wrote                                               answer.rs
//! credentials how they reach git, and how they are hidden                  credentials.rs
//! ssh         how git starts ssh, and what of the user's it may read       ssh.rs
//! programs    which programs, which files of the system, which settings    programs.rs
//! ```
//!
//! The supervisor reads what git wrote as a stranger's: by checked names, bounded, never followed.

mod acquire;
mod answer;
mod check;
mod checkout;
mod command;
mod credentials;
mod error;
mod folder;
mod history;
mod local;
mod means;
mod programs;
mod reference;
mod ssh;
mod store;

pub(crate) use acquire::{Asked, acquire};
pub use check::{check_pointer, check_repository};
pub use error::GitError;
pub(crate) use folder::stand_in;
pub(crate) use store::OnWait;
