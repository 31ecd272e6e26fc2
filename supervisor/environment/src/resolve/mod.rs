//! Which versions of which projects satisfy a list of requirements, or why none do.
//!
//! pubgrub decides; here its questions are answered: what exists (`projects`), what a requirement
//! means as a set of versions (`range`), what depends on what (`solver`), and what to tell people
//! when it can not be (`explain`). Fetching is behind [`Provider`].

mod candidates;
mod error;
mod explain;
mod package;
mod projects;
mod provider;
mod question;
mod range;
mod run;
mod solver;

#[cfg(test)]
mod tests;

pub use candidates::all_candidates;
pub use error::ResolveError;
pub use provider::{Metadata, Provider, ProviderError};
pub use question::{Question, Root};
pub use run::{Because, Chosen, MAX_PROJECTS, MAX_STEPS, Resolution, resolve};
