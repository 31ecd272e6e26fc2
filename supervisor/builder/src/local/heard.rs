//! When a build was last heard of.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A clock that a line of output or an event turns back to nothing; shared by those who hear and who
/// watches.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    since: Instant,
    /// Milliseconds from `since` to the last word; [`NEVER`] before the first.
    last: Arc<AtomicU64>,
}

/// Nothing was heard yet: whoever sets itself up has a deadline of its own.
const NEVER: u64 = u64::MAX;

impl Heard {
    /// Begins now.
    pub(super) fn new() -> Self {
        Self {
            since: Instant::now(),
            last: Arc::new(AtomicU64::new(NEVER)),
        }
    }

    /// Something was heard.
    pub(super) fn now(&self) {
        self.last.store(milliseconds(self.age()), Ordering::Relaxed);
    }

    /// Returns how long nothing was heard, in milliseconds.
    pub(super) fn silence_ms(&self) -> u64 {
        // Before the first word this is nothing.
        milliseconds(self.age()).saturating_sub(self.last.load(Ordering::Relaxed))
    }

    /// Returns how long this runs.
    pub(super) fn age(&self) -> Duration {
        self.since.elapsed()
    }
}

/// Returns whole milliseconds.
pub(super) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
