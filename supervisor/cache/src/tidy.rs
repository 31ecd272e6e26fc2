//! What every run does on its way: what goes by itself goes.

use std::time::{Duration, SystemTime};

use crate::{Cache, CarriedOut, InUse, Plan};

/// How long one look through the logs is enough. There may be tens of thousands, and what is served from the cache
/// shall not take longer for them.
const LOGS_EVERY: Duration = Duration::from_secs(60 * 60);
/// The lock of whoever looks through the logs.
const LOGS: &str = "tidy logs";

impl Cache {
    /// Removes kept scratches that are old, or more than there is room for, and once an hour the logs that are.
    pub fn tidy(&self, now: SystemTime) -> CarriedOut {
        let mut found = self.kept();
        let looks = self.lock_if_due(LOGS, LOGS_EVERY, now);
        match &looks {
            Ok(Some(_held)) => self.logs(&mut found),
            Ok(None) => {}
            Err(error) => tracing::debug!(%error, "logs are not looked through"),
        }
        self.carry_out(&Plan::tidy(&found, now), InUse::Stays)
    }
}
