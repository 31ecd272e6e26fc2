//! The program: what was typed, what it means, which parts it takes, what is said about it.
//!
//! ```text
//! args (typed) -> settings (meant) -> compose (wired) -> command (done) -> report, render (told)
//! ```
//!
//! The work itself is done by the crates below this one; here nothing is decided about packages.

mod args;
mod command;
mod compose;
mod data;
mod exit;
mod logging;
mod neutralise;
#[cfg(test)]
mod pages;
mod program;
mod render;
mod report;
mod settings;
mod signals;
mod visit;

use std::ffi::OsStr;
use std::path::Path;
use std::process::ExitCode;

/// Runs the program, or the worker if this process was started as one.
///
/// Which of the two is decided first of all: a worker may have no thread and no runtime when it
/// confines itself. `system` is the folder of the system's configuration file and its ceiling; no
/// variable and no flag can name another.
#[must_use]
pub fn main(system: &Path) -> ExitCode {
    if is_worker() {
        return worker::main();
    }
    program::run(system)
}

/// Whether this process was started under the worker's name.
fn is_worker() -> bool {
    std::env::args_os()
        .next()
        .as_deref()
        .and_then(|zeroth| Path::new(zeroth).file_name())
        == Some(OsStr::new("fumehood-worker"))
}
