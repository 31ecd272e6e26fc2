//! `fumehood completion`: a script that lets a shell complete our words.

use clap::CommandFactory as _;

use crate::args::{Arguments, CompletionArgs};
use crate::data;
use crate::render::Problem;

/// Prints the script.
pub(super) fn run(args: &CompletionArgs) -> Result<(), Problem> {
    let mut script = Vec::new();
    clap_complete::generate(
        args.shell,
        &mut Arguments::command(),
        "fumehood",
        &mut script,
    );
    data::put(&String::from_utf8_lossy(&script))
}
