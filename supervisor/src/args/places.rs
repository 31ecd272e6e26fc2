//! Flags about other places than the cache's: layers below it, scratches, and none at all.

use clap::Args;

/// Where work is done, besides the cache.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Places")]
pub(crate) struct WorkArgs {
    /// Neither read nor write the cache: work in one fresh directory that is removed at the end
    #[arg(short, long)]
    pub(crate) no_cache: bool,
    /// With --no-cache, work outside of an existing cache root as well
    #[arg(long)]
    pub(crate) no_cache_strict: bool,
    /// A cache that is only read, below the one that is written; may be given often
    #[arg(long, value_name = "DIR", conflicts_with = "no_cache")]
    pub(crate) cache_readonly: Vec<String>,
    /// Where scratches of builds are made, if not in the cache root
    #[arg(long, value_name = "DIR")]
    pub(crate) scratch_dir: Option<String>,
}
