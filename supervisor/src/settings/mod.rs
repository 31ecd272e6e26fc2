//! What the typed words mean: flags before environment before defaults, each value with its origin.
//!
//! The only place that reads environment variables: [`Environment::of_process`] takes one snapshot,
//! everything else is a function of it. Nothing is constructed here; that is `compose`.

mod constraints;
mod environment;
mod index;
mod making;
mod origin;
mod places;
pub(crate) mod removal;
mod sandbox;
mod talk;
#[cfg(test)]
mod tests;
mod words;

pub(crate) use environment::Environment;
pub(crate) use index::IndexSettings;
pub(crate) use making::{MakingSettings, ReportForm, ReportSettings};
pub(crate) use origin::{Origin, SettingsError, Value};
pub(crate) use places::{NoCache, PlaceSettings, temporary};
pub(crate) use sandbox::{LimitSettings, SandboxSettings};
pub(crate) use talk::TalkSettings;
