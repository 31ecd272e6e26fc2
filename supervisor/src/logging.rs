//! What fumehood itself does, step by step, for whoever looks for a bug: standard error only, and
//! only if asked for with `FUMEHOOD_LOG` or `-vv`.

use tracing_subscriber::EnvFilter;

use crate::settings::Environment;

/// Our own crates; others speak only if `FUMEHOOD_LOG` names them.
const OURS: &str =
    "fumehood=debug,builder=debug,cache=debug,environment=debug,index=debug,sources=debug";

/// Starts it, if it is asked for.
pub(crate) fn start(environment: &Environment, verbose: u8) {
    let wanted = environment
        .raw("FUMEHOOD_LOG")
        .and_then(|value| value.to_str())
        .map(str::to_owned)
        .or_else(|| (verbose > 1).then(|| OURS.to_owned()));
    let Some(wanted) = wanted else { return };
    let started = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(wanted))
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .try_init();
    // A second start in one process is the only way to fail, and then one is running.
    drop(started);
}
