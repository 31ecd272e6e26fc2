//! The commands that make wheels, or could: `wheel`, `build` and `metadata`.

use clap::Args;

use super::{FormArgs, IndexArgs, PlaceArgs, SandboxArgs, WorkArgs};

/// `fumehood wheel`
#[derive(Debug, Args)]
pub(crate) struct WheelArgs {
    /// Requirements (`attrs==25.3.0`), `NAME @ URL`, URLs, archives, wheels or folders
    #[arg(value_name = "SPEC", required_unless_present_any = ["requirements", "group"])]
    pub(crate) specs: Vec<String>,
    /// What is wanted besides, and what it is held to.
    #[command(flatten)]
    pub(crate) wanted: WantedArgs,
    /// Make wheels for the SPECs alone, not for what they depend on
    #[arg(long)]
    pub(crate) no_deps: bool,
    /// Tell what would be made and whose code would run; make nothing
    #[arg(long, conflicts_with = "no_deps")]
    pub(crate) dry_run: bool,
    /// Where they are put.
    #[command(flatten)]
    pub(crate) out: OutArgs,
    /// How to make them.
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
}

/// `fumehood fetch`
#[derive(Debug, Args)]
pub(crate) struct FetchArgs {
    /// Requirements (`attrs==25.3.0`), `NAME @ URL`, URLs, archives, wheels or folders
    #[arg(value_name = "SPEC", required_unless_present_any = ["requirements", "group"])]
    pub(crate) specs: Vec<String>,
    /// What is wanted besides, and what it is held to.
    #[command(flatten)]
    pub(crate) wanted: WantedArgs,
    /// Nothing is delivered.
    #[command(flatten)]
    pub(crate) out: NoOutArgs,
    /// How wheels would be made.
    #[command(flatten)]
    pub(crate) making: MakingArgs,
    /// What to report.
    #[command(flatten)]
    pub(crate) report: ReportArgs,
    /// Where packages come from.
    #[command(flatten)]
    pub(crate) index: IndexArgs,
    /// What hooks may touch.
    #[command(flatten)]
    pub(crate) sandbox: SandboxArgs,
    /// Where things are kept.
    #[command(flatten)]
    pub(crate) places: PlaceArgs,
    /// Where work is done.
    #[command(flatten)]
    pub(crate) work: WorkArgs,
}

/// What is asked for in files, and what everything that is asked for is held to.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Requirements")]
pub(crate) struct WantedArgs {
    /// A file of requirements, a pylock.toml or a pyproject.toml
    #[arg(short, long, value_name = "FILE", alias = "requirement")]
    pub(crate) requirements: Vec<String>,
    /// A file of constraints: it narrows versions and asks for nothing
    #[arg(short, long, value_name = "FILE", alias = "constraints")]
    pub(crate) constraint: Vec<String>,
    /// A dependency group of a pyproject.toml, here or elsewhere; of a pylock.toml that is named with -r
    #[arg(long, value_name = "[FILE:]NAME")]
    pub(crate) group: Vec<String>,
    /// The optional dependencies of this name, of a pyproject.toml or pylock.toml that is named with -r
    #[arg(long, value_name = "NAME")]
    pub(crate) extra: Vec<String>,
    /// All of its optional dependencies
    #[arg(long)]
    pub(crate) all_extras: bool,
    /// Refuse what has no hash in a file; a hash that is given is checked in any case
    #[arg(long)]
    pub(crate) require_hashes: bool,
}

/// `fumehood build`
#[derive(Debug, Args)]
pub(crate) struct BuildArgs {
    /// A folder with a Python project; with --wheel alone also an sdist
    #[arg(value_name = "SRC", default_value = ".")]
    pub(crate) source: String,
    /// Make an sdist of SRC, and no wheel from it
    #[arg(long)]
    pub(crate) sdist: bool,
    /// Make a wheel straight from SRC; with --sdist as well, both straight from SRC
    #[arg(long)]
    pub(crate) wheel: bool,
    /// Where they are put.
    #[command(flatten)]
    pub(crate) out: OutArgs,
    /// How to make it.
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
}

/// `fumehood metadata`
#[derive(Debug, Args)]
pub(crate) struct MetadataArgs {
    /// A requirement (`attrs==25.3.0`), `NAME @ URL`, a URL, an archive, a wheel or a folder
    #[arg(value_name = "SPEC")]
    pub(crate) spec: String,
    /// The form of the answer.
    #[command(flatten)]
    pub(crate) form: FormArgs,
    /// Nothing is delivered.
    #[command(flatten)]
    pub(crate) out: NoOutArgs,
    /// How it is built, should that be needed.
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

/// Where what is made is put: a flag of the commands that deliver something.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct OutArgs {
    /// Where finished wheels are put [default: dist]
    #[arg(
        short,
        long,
        value_name = "DIR",
        visible_alias = "wheel-dir",
        visible_short_alias = 'w'
    )]
    pub(crate) out_dir: Option<String>,
}

/// The same flag for commands that deliver nothing.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct NoOutArgs {
    /// Refused; kept so that the refusal can say why.
    #[arg(
        short,
        long,
        value_name = "DIR",
        alias = "wheel-dir",
        short_alias = 'w',
        hide = true
    )]
    pub(crate) out_dir: Option<String>,
}

/// How wheels are made.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct MakingArgs {
    /// The Python to build for: a version, a name or a path
    #[arg(short, long, value_name = "PYTHON")]
    pub(crate) python: Option<String>,
    /// A file of constraints on build requirements, with or without hashes
    #[arg(short, long, value_name = "FILE")]
    pub(crate) build_constraint: Vec<String>,
    /// Refuse build requirements that have no hash in a file of --build-constraint
    #[arg(long)]
    pub(crate) require_build_hashes: bool,
    /// A setting for the build backend
    #[arg(short = 'C', long, value_name = "KEY=VALUE")]
    pub(crate) config_setting: Vec<String>,
    /// A setting for the build backend of one package, such as `numpy:setup-args=-Dblas=none`
    #[arg(
        long,
        value_name = "PKG:KEY=VALUE",
        visible_alias = "config-settings-package"
    )]
    pub(crate) config_setting_package: Vec<String>,
    /// A further build requirement of one package: `peewee:cython<3`, `scipy:numpy@match-runtime`
    #[arg(long, value_name = "PKG:REQ")]
    pub(crate) extra_build_dep: Vec<String>,
    /// Let packages name URLs as build requirements; what they hold is built in the sandbox first
    #[arg(long)]
    pub(crate) allow_url_build_requires: bool,
    /// How many builds may run at the same time [default: the number of processors]; what other runs with the same
    /// cache build counts as well, and so do jobs of ninja and cargo
    #[arg(short, long, value_name = "COUNT")]
    pub(crate) jobs: Option<String>,
    /// Do not wait for another process that makes the same: make it beside that one
    #[arg(long)]
    pub(crate) force: bool,
}

/// What is reported, besides talk.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ReportArgs {
    /// The form of the answer on standard output: one path a line, or one JSON document
    #[arg(long, value_name = "FORM", value_parser = ["text", "json"])]
    pub(crate) output_format: Option<String>,
    /// Write the JSON document to this file as well
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<String>,
}
