//! What runs workers.

use std::path::PathBuf;
use std::sync::Arc;

use builder::{LocalExecutor, WorkerProgram};
use cache::Cache;
use model::Code;
use tokio::runtime::Runtime;

use crate::render::Problem;
use crate::settings::PlaceSettings;

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
