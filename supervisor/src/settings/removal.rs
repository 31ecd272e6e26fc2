//! What the words about removal from the cache mean.

use cache::{Clean, Kinds, Prune};

use super::twin::Twin;
use super::{Layers, Origin, SettingsError, words};
use crate::args::{CleanArgs, PruneArgs};

/// Understands the flags of `cache prune`.
///
/// # Errors
/// If a value does not fit.
pub(crate) fn prune(args: &PruneArgs, layers: &Layers) -> Result<Prune, SettingsError> {
    let max_size = Twin::new("--max-size", "FUMEHOOD_MAX_SIZE").one(
        args.max_size.as_deref(),
        layers,
        words::size,
    )?;
    let older_than = Twin::new("--older-than", "FUMEHOOD_OLDER_THAN").one(
        args.older_than.as_deref(),
        layers,
        words::span,
    )?;
    Ok(Prune {
        ci: args.ci,
        older_than: older_than.map(|value| value.value),
        max_size: max_size.map(|value| value.value),
    })
}

/// Understands the words and flags of `cache clean`.
///
/// # Errors
/// If a word is not a project's name.
pub(crate) fn clean(args: &CleanArgs) -> Result<Clean, SettingsError> {
    let packages = args.packages.iter().map(|text| {
        text.parse().map_err(|_| SettingsError::Unfit {
            origin: Origin::Flag("PKG"),
            what: "it is not the name of a project".to_owned(),
        })
    });
    Ok(Clean {
        packages: packages.collect::<Result<_, _>>()?,
        kinds: Kinds {
            sources: args.sources,
            built: args.built,
            environments: args.environments,
            downloads: args.downloads,
        },
    })
}
