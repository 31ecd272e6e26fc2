//! What the commands do: one file a command, each a corridor that is read from top to bottom.

mod approve;
mod build;
mod cache;
mod completion;
mod course;
mod delivery;
mod doctor;
mod explain;
mod fetch;
mod inspect;
mod install;
mod lock_build;
mod log;
mod made;
mod making;
mod metadata;
mod no_output;
mod policy;
mod remarks;
mod shell;
mod verify;
mod wheel;
mod whole;

use model::Code;

use crate::args::Command;
use crate::render::{Problem, Talk};
use crate::settings::Layers;

/// What every command gets.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    /// The environment variables and the configuration files.
    pub(crate) layers: Layers,
    /// Who speaks.
    pub(crate) talk: std::sync::Arc<Talk>,
    /// When this run began.
    pub(crate) now: jiff::Timestamp,
}

/// Runs one command. What it returns decides the exit code: nothing is success.
///
/// # Errors
/// A problem that nobody has said yet.
pub(crate) fn run(command: Command, around: &Surroundings) -> Result<Option<Code>, Problem> {
    match command {
        Command::Wheel(args) => wheel::run(&args, around),
        Command::Fetch(args) => fetch::run(&args, around),
        Command::Build(args) => build::run(&args, around),
        Command::Metadata(args) => metadata::run(&args, around),
        Command::Install(args) => install::run(&args, around),
        Command::LockBuild(args) => lock_build::run(&args, around).map(|()| None),
        Command::Inspect(args) => inspect::run(&args, around),
        Command::Verify(args) => verify::run(&args, around),
        Command::Doctor(args) => doctor::run(&args, around),
        Command::Policy(args) => policy::run(&args.command, around).map(|()| None),
        Command::Cache(args) => cache::run(&args.command, around).map(|()| None),
        Command::Log(args) => log::run(&args, around).map(|()| None),
        Command::Shell(args) => shell::run(&args, around),
        Command::Explain(args) => explain::run(&args).map(|()| None),
        Command::Completion(args) => completion::run(&args).map(|()| None),
    }
}
