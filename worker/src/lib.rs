//! The confined half.
use std::process::ExitCode;

/// Runs the worker.
#[must_use]
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
