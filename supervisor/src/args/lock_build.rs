//! `fumehood lock-build`

use clap::Args;

use super::{IndexArgs, MakingArgs, NoOutArgs, PlaceArgs, SandboxArgs, WorkArgs};

/// `fumehood lock-build`
#[derive(Debug, Args)]
pub(crate) struct LockBuildArgs {
    /// What is built, as for `wheel`; a build that is in the cache is not repeated
    #[arg(value_name = "SPEC", required = true)]
    pub(crate) specs: Vec<String>,
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
