//! The shipped program under the suite's own name.
use std::process::ExitCode;

fn main() -> ExitCode {
    fumehood::main()
}
