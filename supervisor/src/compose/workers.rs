//! The cache, and what runs workers.

use std::path::PathBuf;
use std::sync::Arc;

use builder::{LocalExecutor, WorkerProgram};
use cache::{Budget, Cache};
use model::Code;
use tokio::runtime::Runtime;

use super::of_cache;
use crate::render::{Problem, Talk};
use crate::settings::PlaceSettings;

/// Opens the cache, removes what a crash left there, and says what may become narrow.
///
/// # Errors
/// If the place can not be used.
pub(crate) fn cache(places: &PlaceSettings, talk: &Talk) -> Result<Cache, Problem> {
    let cache = Cache::open(&places.cache.value).map_err(|error| of_cache(&error))?;
    if let Err(error) = cache.sweep() {
        // Nothing depends on it: what is left there has no lease and disturbs nobody.
        talk.note(&format!(
            "what a crash left in the cache stays there: {error}"
        ));
    }
    let budget = cache.path_budget();
    if budget.budget != Budget::Fits {
        talk.note(&format!(
            "the path of the cache has {} bytes; without namespaces builds append to it, and sockets and scripts may meet limits: a shorter --cache-dir helps",
            budget.root
        ));
    }
    Ok(cache)
}

/// Returns what runs workers: this very program under another name, unless another one is named.
pub(crate) fn executor(places: &PlaceSettings, cache: &Cache) -> Arc<LocalExecutor> {
    let path = places
        .worker
        .clone()
        .unwrap_or_else(|| PathBuf::from("/proc/self/exe"));
    let program = WorkerProgram {
        path,
        name: "fumehood-worker".to_owned(),
    };
    Arc::new(LocalExecutor::new(program, cache.clone()))
}

/// Starts the runtime of the supervisor.
///
/// # Errors
/// If the system has no threads or descriptors left.
pub(crate) fn runtime() -> Result<Runtime, Problem> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            Problem::new(Code::Io, "could not start the threads of the supervisor")
                .why(error.to_string())
        })
}
