//! Flags about configuration files; every command has them.

use clap::Args;

/// Which configuration files are read.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Configuration")]
pub(crate) struct ConfigurationArgs {
    /// Read this file in place of the user's and the project's
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) config_file: Option<String>,
    /// Read no configuration file; the ceiling of /etc/fumehood/fumehood.toml holds all the same
    #[arg(long, global = true, conflicts_with = "config_file")]
    pub(crate) no_config: bool,
}
