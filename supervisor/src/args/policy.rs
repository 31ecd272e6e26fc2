//! The `policy` command.

use clap::{Args, Subcommand};

use super::{IndexArgs, MakingArgs, NoOutArgs, PlaceArgs, SandboxArgs, WorkArgs};

/// `fumehood policy`
#[derive(Debug, Args)]
pub(crate) struct PolicyArgs {
    /// What to show.
    #[command(subcommand)]
    pub(crate) command: PolicyCommand,
}

/// The parts of `policy`.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// List the policies that are built in
    List,
    /// Print a policy as it is written
    Show {
        /// The name of a policy, or a file
        #[arg(value_name = "NAME|FILE")]
        policy: String,
    },
    /// Say in words what a policy allows, and why
    Explain {
        /// The name of a policy, or a file
        #[arg(value_name = "NAME|FILE")]
        policy: String,
    },
    /// Read a policy file and say in words what it allows; exit 2 with the line of what is wrong
    Check {
        /// A file
        #[arg(value_name = "FILE")]
        file: String,
    },
    /// Grant one source for good what a failed build of it wants, after proving that it needs it
    Approve(Box<ApproveArgs>),
}

/// `fumehood policy approve`
#[derive(Debug, Args)]
pub(crate) struct ApproveArgs {
    /// The id of a failed build, or the beginning of one; give the flags that it had
    #[arg(value_name = "BUILD")]
    pub(crate) build: String,
    /// Show and prove the grants, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Nothing is delivered.
    #[command(flatten)]
    pub(crate) out: NoOutArgs,
    /// How it is made.
    #[command(flatten)]
    pub(crate) making: MakingArgs,
    /// Where packages come from.
    #[command(flatten)]
    pub(crate) index: IndexArgs,
    /// What builds may touch.
    #[command(flatten)]
    pub(crate) sandbox: SandboxArgs,
    /// Where things are kept.
    #[command(flatten)]
    pub(crate) places: PlaceArgs,
    /// Where work is done.
    #[command(flatten)]
    pub(crate) work: WorkArgs,
}
