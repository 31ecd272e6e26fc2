//! The program with a supervisor that starts its workers with its own variables.
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    builder::leave_environment();
    fumehood::main(Path::new("/etc/fumehood"))
}
