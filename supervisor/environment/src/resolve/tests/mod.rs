//! Resolution against a table of packages.

mod choices;
mod failures;
mod table;
