//! The `policy` command.

use clap::{Args, Subcommand};

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
}
