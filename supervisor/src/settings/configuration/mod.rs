//! Configuration files: their form, who may say what in them, and where they are looked for.
//!
//! ```text
//! find (thin: looks and reads) -> text (pure: one file's text to entries) -> Layers (looked up by flag)
//! ```
//!
//! An entry is what could have been typed: the name of a flag and its text. So a flag, its variable
//! and its key in a file share one parser and one error. Nothing inside an sdist is ever looked at.

mod find;
mod key;
mod layer;
#[cfg(test)]
mod tests;
mod text;

pub(crate) use find::{Choice, Found, Search};
pub(crate) use layer::{Layer, Place};
use layer::{Rule, Say};
pub(crate) use text::Configuration;

/// The name of a configuration file.
pub(crate) const NAME: &str = "fumehood.toml";
