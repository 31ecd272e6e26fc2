//! The shipped program under the suite's own name.
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    fumehood::main(Path::new("/etc/fumehood"))
}
