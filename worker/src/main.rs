//! `fumehood-worker`: the small program for hosts that want the halves apart.
use std::process::ExitCode;

fn main() -> ExitCode {
    worker::main()
}
