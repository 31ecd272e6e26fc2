//! The configuration files of a run: who the caller is, and where they stand.

use std::path::Path;

use nix::unistd::{User, geteuid};

use super::of_settings;
use crate::args::ConfigurationArgs;
use crate::render::Problem;
use crate::settings::{Choice, Environment, Layers, Search, SettingsError};

/// Finds and reads the files. `system` is the system's folder.
///
/// # Errors
/// If one can not be read or understood, or is not safe to use.
pub(crate) fn configuration(
    args: &ConfigurationArgs,
    environment: Environment,
    system: &Path,
) -> Result<Layers, Problem> {
    let directory =
        std::env::current_dir().map_err(|error| of_settings(&SettingsError::NoDirectory(error)))?;
    let caller = geteuid();
    // Many users of containers have no entry, and then no file of theirs may widen.
    let account = User::from_uid(caller).ok().flatten();
    let search = Search {
        system,
        account_home: account.as_ref().map(|account| account.dir.as_path()),
        directory: &directory,
        caller: caller.as_raw(),
    };
    let named = args.config_file.as_ref().map(|file| directory.join(file));
    let choice = match &named {
        Some(file) => Choice::File(file),
        None if args.no_config => Choice::Nothing,
        None => Choice::Found,
    };
    let found = search
        .run(choice, &environment)
        .map_err(|error| of_settings(&error))?;
    Ok(Layers::new(environment, found))
}
