//! What the words about places mean.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::twin::Twin;
use super::{Environment, Layers, Origin, SettingsError, Value, words};
use crate::args::{PlaceArgs, WorkArgs};

/// Where things are kept.
#[derive(Clone, Debug)]
pub(crate) struct PlaceSettings {
    /// The working directory; every relative path that was typed hangs on it.
    pub(crate) directory: PathBuf,
    /// The cache root, absolute. Empty if nothing names one, which a run without a cache allows.
    pub(crate) cache: Value<PathBuf>,
    /// Where work is done, besides the cache.
    pub(crate) work: WorkSettings,
    /// How long to wait for a lock.
    pub(crate) lock_timeout: Duration,
    /// The worker's program, where it is not this one.
    pub(crate) worker: Option<PathBuf>,
}

/// Where work is done, besides the cache.
#[derive(Clone, Debug, Default)]
pub(crate) struct WorkSettings {
    /// Where scratches are made, absolute; the cache root if there is none.
    pub(crate) scratch: Option<PathBuf>,
    /// Caches that are only read, absolute, the first one first.
    pub(crate) lower: Vec<PathBuf>,
    /// Neither read nor write the cache.
    pub(crate) no_cache: Option<NoCache>,
}

/// A run without a cache.
#[derive(Clone, Debug, Default)]
pub(crate) struct NoCache {
    /// Stay out of the configured root as well.
    pub(crate) strict: bool,
    /// What is installed into, if anything is: on its file system there has to be room in any case.
    pub(crate) install: Option<PathBuf>,
    /// The system's temporary directories, best first.
    pub(crate) temporary: Vec<(PathBuf, Origin)>,
}

impl PlaceSettings {
    /// Understands the flags; asks for the working directory.
    ///
    /// # Errors
    /// If a value does not fit, or nothing says where the cache is.
    pub(crate) fn new(args: &PlaceArgs, layers: &Layers) -> Result<Self, SettingsError> {
        let directory = std::env::current_dir().map_err(SettingsError::NoDirectory)?;
        Self::below(args, layers, directory)
    }

    /// The same for a command that works: scratches, layers and whether there is a cache at all.
    ///
    /// # Errors
    /// As [`PlaceSettings::new`]; without a cache nothing need say where it is.
    pub(crate) fn for_work(
        args: &PlaceArgs,
        work: &WorkArgs,
        layers: &Layers,
    ) -> Result<Self, SettingsError> {
        let directory = std::env::current_dir().map_err(SettingsError::NoDirectory)?;
        Self::working_below(args, work, layers, directory)
    }

    /// The same for a given working directory.
    pub(super) fn working_below(
        args: &PlaceArgs,
        work: &WorkArgs,
        layers: &Layers,
        directory: PathBuf,
    ) -> Result<Self, SettingsError> {
        let work = WorkSettings::new(work, layers, &directory)?;
        let cache = match cache_root(args, layers, &directory) {
            Err(SettingsError::NoCachePlace) if work.no_cache.is_some() => Value {
                value: PathBuf::new(),
                origin: Origin::Default,
            },
            other => other?,
        };
        Self::around(cache, work, args, layers, directory)
    }

    /// The same for a given working directory.
    pub(super) fn below(
        args: &PlaceArgs,
        layers: &Layers,
        directory: PathBuf,
    ) -> Result<Self, SettingsError> {
        let cache = cache_root(args, layers, &directory)?;
        Self::around(cache, WorkSettings::default(), args, layers, directory)
    }

    fn around(
        cache: Value<PathBuf>,
        work: WorkSettings,
        args: &PlaceArgs,
        layers: &Layers,
        directory: PathBuf,
    ) -> Result<Self, SettingsError> {
        let lock_timeout = Twin::new("--lock-timeout", "FUMEHOOD_LOCK_TIMEOUT")
            .one(args.lock_timeout.as_deref(), layers, words::span)?
            .map_or(Duration::from_secs(15 * 60), |value| value.value);
        // It runs unconfined, so it is written where only the user can have written it.
        let worker = Twin::flag_only("worker").one(None, layers, |text| path(text, &directory))?;
        Ok(Self {
            directory,
            cache,
            work,
            lock_timeout,
            worker: worker.map(|value| value.value),
        })
    }
}

/// Returns the cache root: named, or where the XDG rules have it.
fn cache_root(
    args: &PlaceArgs,
    layers: &Layers,
    directory: &Path,
) -> Result<Value<PathBuf>, SettingsError> {
    let named = Twin::new("--cache-dir", "FUMEHOOD_CACHE_DIR").one(
        args.cache_dir.as_deref(),
        layers,
        |text| path(text, directory),
    )?;
    named.map_or_else(|| default_cache(&layers.environment), Ok)
}

impl WorkSettings {
    fn new(args: &WorkArgs, layers: &Layers, directory: &Path) -> Result<Self, SettingsError> {
        let scratch = Twin::new("--scratch-dir", "FUMEHOOD_SCRATCH_DIR").one(
            args.scratch_dir.as_deref(),
            layers,
            |text| path(text, directory),
        )?;
        let no_cache =
            Twin::new("--no-cache", "FUMEHOOD_NO_CACHE").switch(args.no_cache, layers)?;
        let strict = Twin::new("--no-cache-strict", "FUMEHOOD_NO_CACHE_STRICT")
            .switch(args.no_cache_strict, layers)?;
        if args.no_cache_strict && !no_cache {
            return Err(SettingsError::Unfit {
                origin: Origin::Flag("--no-cache-strict"),
                what: "it says more about --no-cache, which is not given".to_owned(),
            });
        }
        if no_cache {
            return Ok(Self {
                scratch: scratch.map(|value| value.value),
                // A bucket of a layer is one that is not read either.
                lower: Vec::new(),
                no_cache: Some(NoCache {
                    install: None,
                    strict,
                    temporary: temporary(&layers.environment),
                }),
            });
        }
        Ok(Self {
            scratch: scratch.map(|value| value.value),
            lower: lower(&args.cache_readonly, layers, directory)?,
            no_cache: None,
        })
    }
}

/// Returns the caches that are only read: each one flag, or all of them in a variable as in PATH.
fn lower(
    typed: &[String],
    layers: &Layers,
    directory: &Path,
) -> Result<Vec<PathBuf>, SettingsError> {
    const VARIABLE: &str = "FUMEHOOD_CACHE_READONLY";
    // In the variable white space belongs to a path.
    if typed.is_empty()
        && let Some(listed) = layers.environment.text(VARIABLE)?
    {
        let parts = listed.split(':').filter(|part| !part.is_empty());
        return Ok(parts.map(|part| directory.join(part)).collect());
    }
    Twin::flag_only("--cache-readonly").many(typed, layers, |text| path(text, directory))
}

/// Returns the directories of the system for temporary files.
pub(crate) fn temporary(environment: &Environment) -> Vec<(PathBuf, Origin)> {
    let named = environment
        .absolute("TMPDIR")
        .map(|path| (path, Origin::Variable("TMPDIR")));
    let usual = ["/tmp", "/var/tmp"].map(|path| (PathBuf::from(path), Origin::Default));
    named.into_iter().chain(usual).collect()
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
