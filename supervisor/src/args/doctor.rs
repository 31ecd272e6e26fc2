//! The `doctor` command.

use clap::Args;

use super::{IndexArgs, PlaceArgs, WorkArgs};

/// `fumehood doctor`
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// The Python to look at: a version, a name or a path
    #[arg(short, long, value_name = "PYTHON")]
    pub(crate) python: Option<String>,
    /// The form of the answer on standard output
    #[arg(long, value_name = "FORM", value_parser = ["text", "json"])]
    pub(crate) output_format: Option<String>,
    /// Where the cache is.
    #[command(flatten)]
    pub(crate) places: PlaceArgs,
    /// Where work is done.
    #[command(flatten)]
    pub(crate) work: WorkArgs,
    /// Which index is asked.
    #[command(flatten)]
    pub(crate) index: IndexArgs,
}
