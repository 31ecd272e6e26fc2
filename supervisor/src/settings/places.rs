//! What the words about places mean.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::origin::Twin;
use super::{Environment, Origin, SettingsError, Value, words};
use crate::args::PlaceArgs;

/// Where things are kept.
#[derive(Clone, Debug)]
pub(crate) struct PlaceSettings {
    /// The working directory; every relative path that was typed hangs on it.
    pub(crate) directory: PathBuf,
    /// The cache root, absolute.
    pub(crate) cache: Value<PathBuf>,
    /// How long to wait for a lock.
    pub(crate) lock_timeout: Duration,
    /// The worker's program, where it is not this one.
    pub(crate) worker: Option<PathBuf>,
}

impl PlaceSettings {
    /// Understands the flags; asks for the working directory.
    ///
    /// # Errors
    /// If a value does not fit, or nothing says where the cache is.
    pub(crate) fn new(args: &PlaceArgs, environment: &Environment) -> Result<Self, SettingsError> {
        let directory = std::env::current_dir().map_err(SettingsError::NoDirectory)?;
        Self::below(args, environment, directory)
    }

    /// The same for a given working directory.
    pub(super) fn below(
        args: &PlaceArgs,
        environment: &Environment,
        directory: PathBuf,
    ) -> Result<Self, SettingsError> {
        let named = Twin::new("--cache-dir", "FUMEHOOD_CACHE_DIR").one(
            args.cache_dir.as_deref(),
            environment,
            |text| path(text, &directory),
        )?;
        let cache = match named {
            Some(named) => named,
            None => default_cache(environment)?,
        };
        let lock_timeout = Twin::new("--lock-timeout", "FUMEHOOD_LOCK_TIMEOUT")
            .one(args.lock_timeout.as_deref(), environment, words::span)?
            .map_or(Duration::from_secs(15 * 60), |value| value.value);
        Ok(Self {
            directory,
            cache,
            lock_timeout,
            worker: environment.absolute("FUMEHOOD_WORKER"),
        })
    }
}

/// Returns a typed path as an absolute one; `.` and `..` stay for the kernel to read.
pub(super) fn path(text: &str, directory: &Path) -> Result<PathBuf, String> {
    if text.is_empty() {
        return Err("an empty path".to_owned());
    }
    Ok(directory.join(text))
}

/// Returns the place that the XDG base directory rules give.
fn default_cache(environment: &Environment) -> Result<Value<PathBuf>, SettingsError> {
    if let Some(base) = environment.absolute("XDG_CACHE_HOME") {
        return Ok(Value {
            value: base.join("fumehood"),
            origin: Origin::Variable("XDG_CACHE_HOME"),
        });
    }
    let home = environment
        .absolute("HOME")
        .ok_or(SettingsError::NoCachePlace)?;
    Ok(Value {
        value: home.join(".cache").join("fumehood"),
        origin: Origin::Default,
    })
}
