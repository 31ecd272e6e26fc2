//! Build environments: wheels, laid out as a virtual environment without running any of their
//! code, then immutable.
//!
//! `environments-v1/<name>/{env/, environment.json, manifest.json}`. The name says what was asked to be in it
//! (`name`), the folders are those of PEP 405 (`layout`), a wheel is checked against its own
//! RECORD while it is copied (`wheel`, `tree`), and scripts find the Python beside them (`script`).

pub(crate) mod bytecode;
mod entry_points;
mod error;
pub(crate) mod layout;
mod name;
mod publish;
pub(crate) mod record;
pub(crate) mod script;
mod soundness;
pub(crate) mod spread;
mod stage;
pub(crate) mod tree;
mod verify;
pub(crate) mod wheel;

#[cfg(test)]
pub(crate) mod tests;

pub use bytecode::COMPILE;
pub use error::InstallError;
pub use layout::site_packages;
pub use name::{INSTALLER_VERSION, environment_name};
pub use publish::{Environment, discard_environment, find_environment, look_for_environment};
pub use soundness::Soundness;
pub use stage::{Staged, WheelInput, stage};
pub use verify::check_environment;
