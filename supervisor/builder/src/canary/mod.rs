//! A home full of decoys: what a build that looks for credentials finds is worth nothing, and telling.
//!
//! ```text
//! lay (files with a token of this build alone) -> watch (who opens one is seen, from outside)
//!     -> the log (the token is marked there) -> the wheel (one that holds the token is refused)
//! ```
//!
//! Seen is the opening of a decoy, whatever its name by then, not `stat` and not the listing of the home.

mod decoy;
mod home;
mod search;
#[cfg(test)]
mod tests;
mod token;
mod watch;

pub(crate) use home::Home;
pub(crate) use search::Search;
pub use token::Token;

/// The kind of entry among the denials that tells of a decoy that was opened. Nothing was refused.
pub const DECOY_READ: &str = "decoy-read";
/// The kind of entry that tells of a decoy that was printed.
pub const DECOY_PRINTED: &str = "decoy-printed";
