//! A worker that asks the kernel for no more than Landlock ABI 5, so that nothing scopes signals and names.
use std::process::ExitCode;

fn main() -> ExitCode {
    worker::main_up_to(5)
}
