//! Flags about what a build may touch and use.

use clap::Args;

/// The sandbox. What widens it has no variable: it is typed for one run, or it is not there.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Sandbox")]
pub(crate) struct SandboxArgs {
    /// What builds may touch: `pure`, `strict` (the default), `native`, or a file
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) policy: Option<String>,
    /// Let builds read below this path
    #[arg(long, value_name = "PATH")]
    pub(crate) allow_read: Vec<String>,
    /// Let builds read and write below this path
    #[arg(long, value_name = "PATH")]
    pub(crate) allow_write: Vec<String>,
    /// Let builds read and execute below this path
    #[arg(long, value_name = "PATH")]
    pub(crate) allow_exec: Vec<String>,
    /// Hand this variable of yours to builds, or to those of one package alone
    #[arg(long, value_name = "[PKG:]VAR")]
    pub(crate) allow_env: Vec<String>,
    /// The lowest level of isolation to build at: `ns`, `confined` (the default), `reduced`,
    /// `ns-only`, `none`
    #[arg(long, value_name = "LEVEL")]
    pub(crate) min_isolation: Option<String>,
    /// Demand that this guarantee is enforced in full, such as `metadata`; may be given often
    #[arg(long, value_name = "GUARANTEE")]
    pub(crate) require: Vec<String>,
    /// Refuse what a build made if anything is unusual in it, instead of noting it; a wheel that an index serves
    /// is taken as it is, see `inspect`
    #[arg(long)]
    pub(crate) strict_output: bool,
    /// Leave the scratch directory of each build for you to look at
    #[arg(long)]
    pub(crate) keep_scratch: bool,
    /// Record what each build opens and starts, propose a policy from it, and keep the wheel out of the cache
    #[arg(long)]
    pub(crate) trace: bool,
    /// Do not run a build that failed for no known reason once more to see what it was refused
    #[arg(long)]
    pub(crate) no_retrace: bool,
    /// How long a build may take, such as `90s`, `30m` or `2h`
    #[arg(long, value_name = "TIME")]
    pub(crate) timeout: Option<String>,
    /// How long a build may say nothing
    #[arg(long, value_name = "TIME")]
    pub(crate) idle_timeout: Option<String>,
    /// Memory that all processes of a build may use together, such as `4G`
    #[arg(long, value_name = "SIZE")]
    pub(crate) memory: Option<String>,
    /// How much a build may keep on disk
    #[arg(long, value_name = "SIZE")]
    pub(crate) disk: Option<String>,
    /// How many processes and threads a build may run at a time
    #[arg(long, value_name = "COUNT")]
    pub(crate) processes: Option<String>,
    /// How much a build may write to its log
    #[arg(long, value_name = "SIZE")]
    pub(crate) log_limit: Option<String>,
    /// Refused; kept so that the refusal can say why.
    #[arg(long, hide = true)]
    pub(crate) no_build_isolation: bool,
}
