//! Equip: interpreters, resolution of requirements, immutable environments.
//!
//! Nothing here starts an interpreter or opens a connection: `builder` asks the questions inside a
//! worker and hands in the answers, `index` fetches.

mod install;
mod installation;
mod interpreter;
mod manifest;
mod resolve;

pub use install::{
    COMPILE, Environment, INSTALLER_VERSION, InstallError, Soundness, Staged, WheelInput,
    check_environment, discard_environment, environment_name, find_environment,
    look_for_environment, site_packages, stage,
};
pub use installation::{
    Change, Distribution, Prepared, Session, Target, TargetError, Wanted, installed,
};
pub use interpreter::{
    Found, InterpreterError, OLDEST, QUESTION, Search, Stamp, check_remembered, find, fits,
    folders_to_ask, folders_to_run, remember, remembered, understand,
};
pub use manifest::{Difference, Manifest, ManifestError};
pub use resolve::{
    Because, Chosen, MAX_PROJECTS, MAX_STEPS, Metadata, Provider, ProviderError, Question,
    Resolution, ResolveError, Root, all_candidates, resolve,
};
