//! The command that installs: `install`.

use clap::Args;

use super::{
    IndexArgs, MakingArgs, NoOutArgs, PlaceArgs, ReportArgs, SandboxArgs, WantedArgs, WorkArgs,
};

/// `fumehood install`
#[derive(Debug, Args)]
#[command(mut_arg("python", |flag| flag.help(
    "The environment to install into, or a Python of it [default: the active environment]"
)))]
pub(crate) struct InstallArgs {
    /// Requirements (`attrs==25.3.0`), `NAME @ URL`, URLs, archives, wheels or folders
    #[arg(value_name = "SPEC", required_unless_present_any = ["requirements", "group"])]
    pub(crate) specs: Vec<String>,
    /// What is wanted besides, and what it is held to.
    #[command(flatten)]
    pub(crate) wanted: WantedArgs,
    /// Install into this folder instead of an environment
    #[arg(short, long, value_name = "DIR")]
    pub(crate) target: Option<String>,
    /// Install the SPECs alone, not what they depend on
    #[arg(long)]
    pub(crate) no_deps: bool,
    /// Take the newest versions that fit, also where an installed one does
    #[arg(short = 'U', long)]
    pub(crate) upgrade: bool,
    /// Install again what is installed already
    #[arg(long, alias = "force-reinstall")]
    pub(crate) reinstall: bool,
    /// Tell what would be installed and whose code would run; change nothing
    #[arg(long, conflicts_with = "no_deps")]
    pub(crate) dry_run: bool,
    /// Compile what is installed to bytecode, in a worker
    #[arg(long)]
    pub(crate) compile_bytecode: bool,
    /// No wheel is delivered.
    #[command(flatten)]
    pub(crate) out: NoOutArgs,
    /// How wheels are made.
    #[command(flatten)]
    pub(crate) making: MakingArgs,
    /// What to report.
    #[command(flatten)]
    pub(crate) report: ReportArgs,
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
    /// Refused; kept so that the refusal can say why.
    #[arg(long, hide = true)]
    pub(crate) break_system_packages: bool,
}
