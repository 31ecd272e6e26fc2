//! PEP 517 hooks: the Python side, the calls, and what their results mean.

mod call;
mod goal;
mod outcome;

pub(crate) use call::{HookRequest, OUTPUT, PREPARED, SHIM, SLOT, backend_of, call};
pub use goal::Goal;
pub(crate) use outcome::{HookOutcome, read};
