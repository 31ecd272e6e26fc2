//! PEP 517 hooks: the Python side, the calls, and what their results mean.

mod call;
mod outcome;

pub(crate) use call::{HookRequest, OUTPUT, SHIM, call};
pub(crate) use outcome::{HookOutcome, read};
