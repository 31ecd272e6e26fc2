//! Build environments: wheels, laid out as a virtual environment without running any of their
//! code, then immutable.
//!
//! `environments-v1/<name>/{env/, environment.json, manifest.json}`. The name says what was asked to be in it
//! (`name`), the folders are those of PEP 405 (`layout`), a wheel is checked against its own
//! RECORD while it is copied (`wheel`, `tree`), and scripts find the Python beside them (`script`).

mod bytecode;
mod entry_points;
mod error;
mod layout;
mod name;
mod publish;
mod record;
mod script;
mod soundness;
mod stage;
mod tree;
mod verify;
mod wheel;

#[cfg(test)]
mod tests;

pub use bytecode::COMPILE;
pub use error::InstallError;
pub use layout::site_packages;
pub use name::{INSTALLER_VERSION, environment_name};
pub use publish::{Environment, discard_environment, find_environment};
pub use soundness::is_untouched;
pub use stage::{Staged, WheelInput, stage};
pub use verify::check_environment;
