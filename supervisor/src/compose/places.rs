//! The cache of a run: kept, with what lies around it, or fresh for this run alone.
//!
//! What is wrong with a place is said before anything is fetched or built.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use builder::LocalExecutor;
use cache::{Budget, Cache, Fresh, Layer, Place};
use model::Code;
use protocol::Namespaces;

use super::{of_build, of_cache};
use crate::render::{Problem, Talk};
use crate::settings::{NoCache, PlaceSettings};

/// The cache of a run.
#[derive(Debug)]
pub(crate) struct Opened {
    /// The cache, with what lies below it and beside it.
    pub(crate) cache: Cache,
    /// The root that ends with this run. Declared last: it is removed when nobody uses it.
    fresh: Option<Fresh>,
}

/// The place of a run without a cache.
#[derive(Debug)]
pub(crate) struct Chosen {
    /// The directory in which the fresh root is made.
    pub(crate) place: Place,
    /// Why it is this one.
    pub(crate) why: String,
}

impl Opened {
    /// Whether nothing of the cache survives this run.
    pub(crate) fn is_fresh(&self) -> bool {
        self.fresh.is_some()
    }

    /// Refuses scratches on a mount from which no program can be started.
    ///
    /// # Errors
    /// If they lie on one.
    pub(crate) fn check_exec(&self, talk: &Talk) -> Result<(), Problem> {
        if self.cache.is_scratch_noexec() {
            return Err(Problem::new(
                Code::CachePlace,
                format!(
                    "no program can be started in `{}`: it is mounted noexec",
                    self.cache.scratches_in().display()
                ),
            )
            .why(
                "builds start programs that they have just made, such as what `configure` compiles",
            )
            .fix("name a directory on another mount for scratches: --scratch-dir DIR"));
        }
        if self.cache.is_noexec() {
            talk.note(
                "the cache is mounted noexec: builds can not start compiled programs of their build requirements, such as ninja",
            );
        }
        Ok(())
    }
}

/// Opens the cache of a run, removes what a crash left there, and says what may become narrow.
/// Scratches never lie in `out_dir`.
///
/// # Errors
/// If a place can not be used.
pub(crate) fn open(
    places: &PlaceSettings,
    out_dir: Option<&Path>,
    talk: &Talk,
) -> Result<Opened, Problem> {
    let opened = if places.work.no_cache.is_some() {
        let chosen = choose(places, out_dir)?;
        sweep(&chosen.place, talk);
        let fresh = chosen.place.fresh().map_err(|error| of_cache(&error))?;
        Opened {
            cache: fresh.cache().clone(),
            fresh: Some(fresh),
        }
    } else {
        Opened {
            cache: kept(places, out_dir, talk)?,
            fresh: None,
        }
    };
    let budget = opened.cache.path_budget();
    if budget.budget != Budget::Fits {
        talk.note(&format!(
            "the path of the cache has {} bytes; without namespaces builds append to it, and sockets and scripts may meet limits: a shorter --cache-dir or --scratch-dir helps",
            budget.root
        ));
    }
    Ok(opened)
}

fn kept(places: &PlaceSettings, out_dir: Option<&Path>, talk: &Talk) -> Result<Cache, Problem> {
    let failed = |error| of_cache(&error);
    // First what makes nothing: an error there leaves nothing behind.
    let scratch = match &places.work.scratch {
        Some(path) => Some(scratch_place(places, path, out_dir)?),
        None => None,
    };
    if let Some(place) = &scratch {
        place.try_links().map_err(failed)?;
    }
    let lower = places
        .work
        .lower
        .iter()
        .map(|path| Layer::open(path).map_err(failed))
        .collect::<Result<Vec<_>, _>>()?;
    let mut cache = Cache::open(&places.cache.value)
        .map_err(failed)?
        .above(lower);
    if let Err(error) = cache.sweep() {
        // Nothing depends on it: what is left there has no lease and disturbs nobody.
        talk.note(&format!(
            "what a crash left in the cache stays there: {error}"
        ));
    }
    for text in cache.tidy(SystemTime::now()).left {
        tracing::debug!(%text, "an old log or scratch stays");
    }
    if let Some(place) = scratch {
        sweep(&place, talk);
        cache = cache.with_scratches_at(place);
    }
    Ok(cache)
}

fn sweep(place: &Place, talk: &Talk) {
    if let Err(error) = place.sweep(SystemTime::now()) {
        talk.note(&format!(
            "what a crash left in `{}` stays there: {error}",
            place.path().display()
        ));
    }
}

/// Opens the place that `--scratch-dir` names.
fn scratch_place(
    places: &PlaceSettings,
    path: &Path,
    out_dir: Option<&Path>,
) -> Result<Place, Problem> {
    let place = Place::open(path).map_err(|error| of_cache(&error))?;
    if let Some(what) = taken(&place, places, out_dir) {
        return Err(Problem::new(
            Code::CachePlace,
            format!("`{}` is {what}", place.path().display()),
        )
        .why("scratches appear and vanish where they are made, beside what is yours")
        .fix("name another directory, for example one inside it: --scratch-dir DIR"));
    }
    Ok(place)
}

/// Returns what a place is where nothing may appear, if it is that.
fn taken(place: &Place, places: &PlaceSettings, out_dir: Option<&Path>) -> Option<&'static str> {
    let is = |other: &Path| other.canonicalize().is_ok_and(|real| real == place.path());
    if is(&places.directory) {
        Some("the working directory")
    } else if out_dir.is_some_and(is) {
        Some("the output directory")
    } else {
        None
    }
}

/// Chooses where a run without a cache works; creates nothing.
///
/// The first of: what `--scratch-dir` names; what is installed into; the configured root, if it exists and a stricter run
/// was not asked for, for its mount was chosen for such work; the system's temporary directories.
/// Never the working directory or the output directory.
///
/// # Errors
/// If none can be used, or the one that was named can not.
pub(crate) fn choose(places: &PlaceSettings, out_dir: Option<&Path>) -> Result<Chosen, Problem> {
    if let Some(path) = &places.work.scratch {
        return Ok(Chosen {
            place: scratch_place(places, path, out_dir)?,
            why: "named by --scratch-dir".to_owned(),
        });
    }
    let mut passed = Vec::new();
    for (path, why) in candidates(places) {
        match usable(&path, places, out_dir) {
            Ok(place) => return Ok(Chosen { place, why }),
            Err(reason) => passed.push(format!("`{}`: {reason}", path.display())),
        }
    }
    Err(Problem::new(
        Code::CachePlace,
        "there is no place for a run without a cache",
    )
    .why(passed.join("\n"))
    .fix("name a directory that you can write: --scratch-dir DIR"))
}

/// Returns the places that are considered, best first, each with its reason.
fn candidates(places: &PlaceSettings) -> Vec<(PathBuf, String)> {
    let NoCache {
        strict,
        install,
        temporary,
    } = places.work.no_cache.clone().unwrap_or_default();
    let root = &places.cache;
    let mut candidates = Vec::new();
    candidates
        .extend(install.map(|path| (path, "the file system that is installed into".to_owned())));
    // Nothing names a root where there is no home.
    if !strict && !root.value.as_os_str().is_empty() {
        candidates.push((
            root.value.clone(),
            format!(
                "the mount of the cache root, which exists ({}); outside of everything that is kept",
                root.origin
            ),
        ));
    }
    candidates.extend(
        temporary
            .into_iter()
            .map(|(path, origin)| (path, format!("the system's temporary directory ({origin})"))),
    );
    candidates
}

/// Opens a place that nobody named for this, or says why it is passed over.
fn usable(path: &Path, places: &PlaceSettings, out_dir: Option<&Path>) -> Result<Place, String> {
    let reason = |error: cache::CacheError| {
        let source = std::error::Error::source(&error).map(ToString::to_string);
        source.unwrap_or_else(|| error.to_string())
    };
    if path == places.cache.value {
        // The rules of a root, so that nothing is put into what is not ours.
        Layer::open(path).map_err(reason)?;
    }
    let place = Place::open(path).map_err(reason)?;
    if place.is_noexec() {
        return Err("it is mounted noexec".to_owned());
    }
    let no_cache = places.work.no_cache.as_ref();
    if no_cache.and_then(|it| it.install.as_deref()) == Some(path) {
        return Ok(place);
    }
    match taken(&place, places, out_dir) {
        Some(what) => Err(format!("it is {what}")),
        None => Ok(place),
    }
}

/// Refuses a path that is too long for builds which see it.
///
/// # Errors
/// If there are no namespaces and the place of scratches has too long a path.
pub(crate) async fn check_length(cache: &Cache, executor: &LocalExecutor) -> Result<(), Problem> {
    let budget = cache.path_budget();
    if budget.budget != Budget::TooLong {
        return Ok(());
    }
    let host = executor
        .host()
        .await
        .map_err(|error| of_build("isolation", &error))?;
    if host.namespaces != Namespaces::None {
        return Ok(());
    }
    Err(Problem::new(
        Code::CachePlace,
        format!(
            "the path `{}` is too long for builds: {} bytes",
            cache.scratches_in().display(),
            budget.root
        ),
    )
    .why("without namespaces builds see this path and append to it, and the addresses of sockets and the first lines of scripts have limits")
    .fix("name a shorter directory: --scratch-dir DIR or --cache-dir DIR"))
}
