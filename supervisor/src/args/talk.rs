//! Flags about what is said and how; every command has them.

use clap::Args;

/// How much is said, in which colours.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Talk")]
pub(crate) struct TalkArgs {
    /// Show what the backend writes while it writes it; twice: what fumehood itself does
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub(crate) verbose: u8,
    /// Say nothing but errors; twice: not even those
    #[arg(short, long, action = clap::ArgAction::Count, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: u8,
    /// When to use colours
    #[arg(long, value_name = "WHEN", value_parser = ["auto", "always", "never"], global = true)]
    pub(crate) color: Option<String>,
    /// Say in plain lines what would otherwise be a moving display
    #[arg(long, global = true)]
    pub(crate) no_progress: bool,
}
