//! The `log` command.

use clap::Args;

use super::PlaceArgs;

/// `fumehood log`
#[derive(Debug, Args)]
pub(crate) struct LogArgs {
    /// The id of a build, or the beginning of one; without it the past builds are listed
    #[arg(value_name = "BUILD")]
    pub(crate) build: Option<String>,
    /// Print what was refused during the build instead of its log
    #[arg(long, requires = "build")]
    pub(crate) denials: bool,
    /// The form of that answer on standard output
    #[arg(long, value_name = "FORM", value_parser = ["text", "json"], requires = "denials")]
    pub(crate) output_format: Option<String>,
    /// Where the cache is.
    #[command(flatten)]
    pub(crate) places: PlaceArgs,
}
