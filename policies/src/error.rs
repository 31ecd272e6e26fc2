//! What can be wrong with a policy: file, table, key, and what to write instead.

use std::path::PathBuf;

/// Why a policy can not be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The file is larger than any needs to be.
    #[error("{file}: {bytes} bytes are too many; at most {most} are read")]
    TooLarge {
        /// The file.
        file: String,
        /// Its size.
        bytes: usize,
        /// The bound.
        most: usize,
    },
    /// The text is not TOML.
    #[error("{file}, line {line}: not TOML: {problem}")]
    Syntax {
        /// The file.
        file: String,
        /// The line, counted from 1.
        line: usize,
        /// What the TOML reader said.
        problem: String,
    },
    /// One key is missing, unknown or has a value that does not fit.
    #[error("{0}")]
    Written(Box<Mistake>),
    /// No grant lets Python start.
    #[error(
        "{file}: no grant lets Python start; write `extends = \"pure\"`, or a [[grant]] with place = \"interpreter\" and access = [\"read\", \"execute\"]"
    )]
    NoInterpreter {
        /// The file.
        file: String,
    },
    /// A path that the policy needs does not exist here.
    #[error(
        "policy `{policy}` grants `{}`, which does not exist here; create it, or write `optional = true` into that [[grant]]", path.display()
    )]
    Missing {
        /// The policy.
        policy: String,
        /// The path.
        path: PathBuf,
    },
    /// Nothing of the interpreter can be granted.
    #[error(
        "policy `{policy}`: the interpreter has no folder or file of its own that can be granted (given: {given})"
    )]
    NoInterpreterPath {
        /// The policy.
        policy: String,
        /// The paths that were given, in words.
        given: String,
    },
    /// A path named on the command line does not exist.
    #[error("`{}` can not be granted: it does not exist", path.display())]
    ExtraMissing {
        /// The path.
        path: PathBuf,
    },
    /// A path named on the command line may not be granted.
    #[error("`{}` can not be granted: {problem}", path.display())]
    ExtraRefused {
        /// The path.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// A policy allows more than the one above it.
    #[error("policy `{policy}` allows more than `{above}`: {what}")]
    Wider {
        /// The policy.
        policy: String,
        /// The policy that bounds it.
        above: String,
        /// The first thing that is more.
        what: String,
    },
}

/// One key of a policy file that is wrong, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}, {table}, `{key}`: {problem}; {instead}")]
pub struct Mistake {
    /// The file.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The table, as it stands in the file: `[[grant]] 2`, `[limits]`, `top of the file`.
    pub table: String,
    /// The key.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// What to write instead.
    pub instead: String,
}
