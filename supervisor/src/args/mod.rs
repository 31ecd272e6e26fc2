//! What was typed: the words of the command line, and nothing about what they mean.
//!
//! Values stay text here; `settings` gives them meaning, so that a flag and its variable share one
//! parser and one error. A flag appears only once it works.

mod cache;
mod configuration;
mod doctor;
mod explain;
mod index;
mod install;
mod lock_build;
mod log;
mod look;
mod making;
mod places;
mod policy;
mod sandbox;
mod shell;
mod talk;
#[cfg(test)]
mod tests;

use std::ffi::OsString;

use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

pub(crate) use cache::{
    CacheArgs, CacheCommand, CheckArgs, CleanArgs, FormArgs, ListArgs, PlaceArgs, PruneArgs,
};
pub(crate) use configuration::ConfigurationArgs;
pub(crate) use doctor::DoctorArgs;
pub(crate) use explain::{CompletionArgs, ExplainArgs};
pub(crate) use index::{Format, IndexArgs};
pub(crate) use install::InstallArgs;
pub(crate) use lock_build::LockBuildArgs;
pub(crate) use log::LogArgs;
pub(crate) use look::{InspectArgs, VerifyArgs};
pub(crate) use making::{
    BuildArgs, FetchArgs, MakingArgs, MetadataArgs, NoOutArgs, ReportArgs, WantedArgs, WheelArgs,
};
pub(crate) use places::WorkArgs;
pub(crate) use policy::{ApproveArgs, PolicyArgs, PolicyCommand};
pub(crate) use sandbox::SandboxArgs;
pub(crate) use shell::ShellArgs;
pub(crate) use talk::TalkArgs;

/// A fume hood for Python packages: builds wheels from source behind glass.
///
/// A build runs in a worker that can write to one scratch directory and read its source, its build
/// environment and a short list of system paths. It has no network, no secrets of yours and no way
/// to outlive the build. Safe to build, not safe to import: what a wheel does once installed is
/// outside.
#[derive(Debug, Parser)]
#[command(
    name = "fumehood",
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Which configuration files are read.
    #[command(flatten)]
    pub(crate) configuration: ConfigurationArgs,
    /// How to talk about it.
    #[command(flatten)]
    pub(crate) talk: TalkArgs,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make wheels for requirements, URLs, archives and folders, and for what they depend on
    Wheel(Box<WheelArgs>),
    /// Fetch everything that making these wheels needs, so that `wheel --offline` does it
    Fetch(Box<FetchArgs>),
    /// Make an sdist of one source tree, and a wheel from that sdist
    Build(Box<BuildArgs>),
    /// Show name, version and dependencies; a sandboxed hook is run only if no file says them
    Metadata(Box<MetadataArgs>),
    /// Make wheels and install them into an environment or a folder
    Install(Box<InstallArgs>),
    /// Print what a build uses, pinned and with hashes, as a file of build constraints
    LockBuild(Box<LockBuildArgs>),
    /// Look at a source archive or a wheel; no code of it runs
    Inspect(Box<InspectArgs>),
    /// Check a wheel against its RECORD and its build record
    Verify(Box<VerifyArgs>),
    /// Show what will be enforced here, and what not
    Doctor(Box<DoctorArgs>),
    /// Show what builds may touch, with the reason for each grant
    Policy(PolicyArgs),
    /// Show, clean and check the cache
    Cache(CacheArgs),
    /// List past builds, or print the full log of one
    Log(LogArgs),
    /// Enter the scratch of a build that was kept, confined as the build was
    Shell(ShellArgs),
    /// Print the page of an error code
    Explain(ExplainArgs),
    /// Print a completion script for a shell
    Completion(CompletionArgs),
}

impl Command {
    /// Whether settings bear on it: the others must work beside a broken configuration file.
    pub(crate) fn has_settings(&self) -> bool {
        match self {
            Self::Policy(args) => matches!(args.command, PolicyCommand::Approve(_)),
            Self::Explain(_) | Self::Completion(_) => false,
            Self::Wheel(_)
            | Self::Fetch(_)
            | Self::Build(_)
            | Self::Metadata(_)
            | Self::Install(_)
            | Self::LockBuild(_)
            | Self::Inspect(_)
            | Self::Verify(_)
            | Self::Doctor(_)
            | Self::Cache(_)
            | Self::Log(_)
            | Self::Shell(_) => true,
        }
    }
}

/// Reads the command line.
///
/// # Errors
/// What clap found wrong, or the help and version texts, which clap hands out as errors too.
pub(crate) fn parse(
    argv: impl IntoIterator<Item = OsString>,
) -> Result<Arguments, Box<clap::Error>> {
    let matches = Arguments::command().try_get_matches_from(argv)?;
    let mut arguments = Arguments::from_arg_matches(&matches)?;
    if let Some((_, matches)) = matches.subcommand() {
        match &mut arguments.command {
            Command::Wheel(wheel) => wheel.index.formats = formats(matches),
            Command::Fetch(fetch) => fetch.index.formats = formats(matches),
            Command::Build(build) => build.index.formats = formats(matches),
            Command::Metadata(metadata) => metadata.index.formats = formats(matches),
            Command::Install(install) => install.index.formats = formats(matches),
            Command::LockBuild(lock) => lock.index.formats = formats(matches),
            Command::Policy(policy) => {
                if let (PolicyCommand::Approve(approve), Some((_, matches))) =
                    (&mut policy.command, matches.subcommand())
                {
                    approve.index.formats = formats(matches);
                }
            }
            _ => {}
        }
    }
    Ok(arguments)
}

/// Returns `--no-binary` and `--only-binary` in the order typed: the last one wins, so the order
/// between the two matters, and two separate lists would lose it.
fn formats(matches: &ArgMatches) -> Vec<(Format, String)> {
    let mut typed = Vec::new();
    for (format, id) in [
        (Format::NoBinary, "no_binary"),
        (Format::OnlyBinary, "only_binary"),
    ] {
        let places = matches.indices_of(id).into_iter().flatten();
        let values = matches.get_many::<String>(id).into_iter().flatten();
        typed.extend(places.zip(values).map(|(at, value)| (at, format, value)));
    }
    typed.sort_by_key(|(at, ..)| *at);
    typed
        .into_iter()
        .map(|(_, format, value)| (format, value.clone()))
        .collect()
}
