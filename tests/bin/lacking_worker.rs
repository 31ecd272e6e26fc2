//! A worker that lacks the layers that its file's name says: `lacking-filter-sockets+landlock-ports`.
use std::process::ExitCode;

fn main() -> ExitCode {
    let file = std::env::current_exe().expect("the kernel knows this file");
    let name = file.file_name().expect("a program has a name");
    let name = name.to_str().expect("layers are words");
    worker::main_without(name.strip_prefix("lacking-").expect("a name with layers"))
}
