//! The commands that look at one file: `inspect` and `verify`.

use clap::Args;

use super::{FormArgs, PlaceArgs, WorkArgs};

/// `fumehood inspect`
#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// A wheel or a source archive; no code of it runs
    #[arg(value_name = "FILE")]
    pub(crate) file: String,
    /// The form of the answer.
    #[command(flatten)]
    pub(crate) form: FormArgs,
    /// Where the cache is.
    #[command(flatten)]
    pub(crate) places: PlaceArgs,
    /// Where work is done.
    #[command(flatten)]
    pub(crate) work: WorkArgs,
}

/// `fumehood verify`
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// A wheel that fumehood built
    #[arg(value_name = "WHEEL")]
    pub(crate) wheel: String,
    /// The build record; without it the record of these bytes is looked for in the cache
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Option<String>,
    /// The form of the answer.
    #[command(flatten)]
    pub(crate) form: FormArgs,
    /// Where the cache is.
    #[command(flatten)]
    pub(crate) places: PlaceArgs,
    /// Where work is done.
    #[command(flatten)]
    pub(crate) work: WorkArgs,
}
