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
    Size(SizeArgs),
    /// List what is kept
    List(ListArgs),
    /// Remove everything, or what belongs to some projects, or some kinds of it
    Clean(CleanArgs),
    /// Remove what nobody will ask for again; wheels built from a present source stay
    Prune(PruneArgs),
    /// Read everything and say what is damaged
    Check(CheckArgs),
}

/// The form of the answer.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct FormArgs {
    /// The form of the answer on standard output
    #[arg(long, value_name = "FORM", value_parser = ["text", "json"])]
    pub(crate) output_format: Option<String>,
}

/// `fumehood cache size`
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct SizeArgs {
    /// Where everything is kept.
    #[command(flatten)]
    pub(crate) places: PlaceArgs,
    /// The form of the answer.
    #[command(flatten)]
    pub(crate) form: FormArgs,
}

/// `fumehood cache list`
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ListArgs {
    /// Where everything is kept.
    #[command(flatten)]
    pub(crate) places: PlaceArgs,
    /// The form of the answer.
    #[command(flatten)]
    pub(crate) form: FormArgs,
}

/// `fumehood cache clean`
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct CleanArgs {
    /// Only what belongs to these projects
    #[arg(value_name = "PKG")]
    pub(crate) packages: Vec<String>,
    /// Only sources
    #[arg(long)]
    pub(crate) sources: bool,
    /// Only built wheels
    #[arg(long)]
    pub(crate) built: bool,
    /// Only build environments
    #[arg(long)]
    pub(crate) environments: bool,
    /// Only downloaded wheels
    #[arg(long)]
    pub(crate) downloads: bool,
    /// Also what others use; a build that loses something fails and can be run again
    #[arg(long)]
    pub(crate) force: bool,
    /// Say what would be removed and why, and remove nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Where everything is kept.
    #[command(flatten)]
    pub(crate) places: PlaceArgs,
    /// The form of the answer.
    #[command(flatten)]
    pub(crate) form: FormArgs,
}

/// `fumehood cache prune`
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct PruneArgs {
    /// Also sources, downloaded wheels and environments: what can be fetched or made again
    #[arg(long)]
    pub(crate) ci: bool,
    /// Also what was used least recently, built wheels too, until this much is left, such as `4G`
    #[arg(long, value_name = "SIZE")]
    pub(crate) max_size: Option<String>,
    /// Also what was not used for this long, built wheels too, such as `30d`
    #[arg(long, value_name = "SPAN")]
    pub(crate) older_than: Option<String>,
    /// Also what others use; a build that loses something fails and can be run again
    #[arg(long)]
    pub(crate) force: bool,
    /// Say what would be removed and why, and remove nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Where everything is kept.
    #[command(flatten)]
    pub(crate) places: PlaceArgs,
    /// The form of the answer.
    #[command(flatten)]
    pub(crate) form: FormArgs,
}

/// `fumehood cache check`
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct CheckArgs {
    /// Remove what is damaged, so that the next run fetches or makes it again
    #[arg(long)]
    pub(crate) repair: bool,
    /// A cache that is only read, below the other, to be checked too; may be given often
    #[arg(long, value_name = "DIR")]
    pub(crate) cache_readonly: Vec<String>,
    /// Where everything is kept.
    #[command(flatten)]
    pub(crate) places: PlaceArgs,
    /// The form of the answer.
    #[command(flatten)]
    pub(crate) form: FormArgs,
}
