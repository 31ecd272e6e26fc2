//! `fumehood`, and, under another `argv[0]`, its worker.
use std::process::ExitCode;

fn main() -> ExitCode {
    fumehood::main()
}
