//! The program with a supervisor that lacks what its file's name says: `lacking-program-clearing-variables+watch`.
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let file = std::env::current_exe().expect("the kernel knows this file");
    let name = file.file_name().expect("a program has a name");
    let name = name.to_str().expect("layers are words");
    builder::leave_out(
        name.strip_prefix("lacking-program-")
            .expect("a name with layers"),
    );
    fumehood::main(Path::new("/etc/fumehood"))
}
