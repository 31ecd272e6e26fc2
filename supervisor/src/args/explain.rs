//! The commands that print a text: `explain` and `completion`.

use clap::Args;

/// `fumehood explain`
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// An error code, such as F0301
    #[arg(value_name = "CODE")]
    pub(crate) code: String,
}

/// `fumehood completion`
#[derive(Debug, Args)]
pub(crate) struct CompletionArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}
