//! What the typed words mean: flags before environment before files before defaults, each value with
//! its origin, nothing above the system's ceiling.
//!
//! The only place that reads environment variables: [`Environment::of_process`] takes one snapshot,
//! everything else is a function of it and of the files that `configuration` found. Nothing is
//! constructed here; that is `compose`.

mod ceiling;
mod configuration;
mod constraints;
mod environment;
mod error;
mod extra;
mod index;
mod layers;
mod making;
mod mapped;
mod origin;
mod places;
pub(crate) mod removal;
mod sandbox;
mod talk;
#[cfg(test)]
mod tests;
mod twin;
mod wanted;
mod words;

pub(crate) use ceiling::{Bound, Ceiling, amount, exceeds};
pub(crate) use configuration::{Choice, Search};
pub(crate) use environment::Environment;
pub(crate) use error::SettingsError;
pub(crate) use index::IndexSettings;
pub(crate) use layers::Layers;
pub(crate) use making::{MakingSettings, ReportForm, ReportSettings};
pub(crate) use origin::{Origin, Value};
pub(crate) use places::{NoCache, PlaceSettings, temporary};
pub(crate) use sandbox::{LimitSettings, SandboxSettings};
pub(crate) use talk::TalkSettings;
pub(crate) use twin::Twin;
pub(crate) use wanted::WantedSettings;
