//! Interpreters: found by reading alone, asked by someone else, remembered.
//!
//! The order of the search is in `search`, what a version manager's shim stands for in `shim`,
//! what is asked in `question.py`.

mod answer;
mod error;
mod memory;
mod places;
mod request;
mod search;
mod shim;
mod venv;

#[cfg(test)]
pub(crate) mod tests;

pub use answer::{OLDEST, QUESTION, understand};
pub use error::InterpreterError;
pub use memory::{check_remembered, remember, remembered};
pub use places::{folders_to_ask, folders_to_run};
pub use request::fits;
pub use search::{Found, Search, Stamp, find};
pub(crate) use venv::read_small;
