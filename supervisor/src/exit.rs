//! Exit codes: the table is [`model::Exit`]; here it becomes what the process returns.

use std::process::ExitCode;

use model::{Code, Exit};

/// Returns the process's answer for an error code, or success for none.
pub(crate) fn code(failure: Option<Code>) -> ExitCode {
    failure.map_or(ExitCode::SUCCESS, |code| of(code.exit()))
}

/// Returns the process's answer.
fn of(exit: Exit) -> ExitCode {
    // The discriminants are the contract, and all of them fit.
    ExitCode::from(exit as u8)
}
