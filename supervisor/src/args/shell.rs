//! The `shell` command.

use clap::Args;

use super::PlaceArgs;

/// `fumehood shell`
#[derive(Debug, Args)]
pub(crate) struct ShellArgs {
    /// The id of a build whose scratch was kept, or the beginning of one
    #[arg(value_name = "BUILD")]
    pub(crate) build: String,
    /// A command to run instead of a shell, after `--`
    #[arg(value_name = "COMMAND", last = true)]
    pub(crate) command: Vec<String>,
    /// Where the cache is.
    #[command(flatten)]
    pub(crate) places: PlaceArgs,
}
