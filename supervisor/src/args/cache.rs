//! Flags about the cache's place, and the `cache` command.

use clap::{Args, Subcommand};

use super::WorkArgs;

/// Where everything is kept.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Places")]
pub(crate) struct PlaceArgs {
    /// The cache root; nothing is written outside of it and of the output directory
    #[arg(long, value_name = "DIR")]
    pub(crate) cache_dir: Option<String>,
    /// How long to wait for another process that makes the same thing, such as `90s` or `10m`
    #[arg(long, value_name = "TIME")]
    pub(crate) lock_timeout: Option<String>,
}

/// `fumehood cache`
#[derive(Debug, Args)]
pub(crate) struct CacheArgs {
    /// What to show.
    #[command(subcommand)]
    pub(crate) command: CacheCommand,
}

/// `fumehood cache dir`
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct DirArgs {
    /// Where everything is kept.
    #[command(flatten)]
    pub(crate) places: PlaceArgs,
    /// Where work is done.
    #[command(flatten)]
    pub(crate) work: WorkArgs,
}

/// The parts of `cache`.
#[derive(Debug, Subcommand)]
pub(crate) enum CacheCommand {
    /// Print the cache root; with --no-cache, where a run would work and why
    Dir(DirArgs),
    /// Print how much is kept, bucket by bucket
    Size(PlaceArgs),
}
