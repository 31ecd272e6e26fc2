//! Ends the work in order when somebody interrupts it.

use std::future::Future;

use model::Code;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::render::Problem;

/// Runs `work` until it is done, or until SIGINT or SIGTERM arrives: then `work` is dropped,
/// which cancels what it does, and nothing comes back.
///
/// The handlers stay in place, so that a second signal can not cut the cleaning short. SIGHUP is left
/// as it was found: `nohup` counts on that, and workers end with their supervisor anyhow.
///
/// # Errors
/// If the handlers can not be set.
pub(crate) async fn unless_interrupted<T>(
    work: impl Future<Output = T>,
) -> Result<Option<T>, Problem> {
    let mut interrupt = handler(SignalKind::interrupt())?;
    let mut terminate = handler(SignalKind::terminate())?;
    Ok(tokio::select! {
        biased;
        _ = interrupt.recv() => None,
        _ = terminate.recv() => None,
        done = work => Some(done),
    })
}

/// Returns the problem that says so.
pub(crate) fn interrupted() -> Problem {
    Problem::new(
        Code::Interrupted,
        "interrupted; every build was ended and its scratch removed",
    )
}

fn handler(kind: SignalKind) -> Result<Signal, Problem> {
    signal(kind).map_err(|error| {
        Problem::new(Code::Bug, "could not listen for signals").why(error.to_string())
    })
}
