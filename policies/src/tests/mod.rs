//! Promises of the crate: reading, compiling, meaning.

mod compiling;
mod meaning;
mod reading;

use crate::Policy;

/// A small valid policy, with `more` behind it.
fn minimal(more: &str) -> String {
    format!(
        "name = \"mine\"\nsummary = \"a test\"\n\n[[grant]]\nplace = \"interpreter\"\naccess = [\"read\", \"execute\"]\nwhy = \"Python\"\n\n{more}"
    )
}

fn parsed(text: &str) -> Policy {
    Policy::parse(text, "mine.toml").unwrap_or_else(|error| panic!("{error}"))
}

fn refused(text: &str) -> String {
    Policy::parse(text, "mine.toml").unwrap_err().to_string()
}
