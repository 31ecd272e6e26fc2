//! Which failures pass by themselves, and how long to wait for it. Pure.

use std::time::Duration;

use crate::IndexError;

/// Never waits longer than this between two attempts.
const LONGEST: Duration = Duration::from_secs(2);
const FIRST: Duration = Duration::from_millis(100);

/// Returns how long to wait before the next attempt; none if there should not be one.
/// `attempt` counts from 0, `retries` is how many more than the first there may be.
pub(crate) fn pause(attempt: u32, retries: u32, error: &IndexError) -> Option<Duration> {
    if attempt >= retries || !may_pass(error) {
        return None;
    }
    Some(FIRST.saturating_mul(1 << attempt.min(10)).min(LONGEST))
}

/// A time-out does not pass: waiting for it again would only make a slow index slower.
fn may_pass(error: &IndexError) -> bool {
    match error {
        IndexError::Status { status, .. } => matches!(status, 408 | 429 | 500 | 502 | 503 | 504),
        IndexError::Transport { .. } => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(status: u16) -> IndexError {
        IndexError::Status {
            url: String::new(),
            status,
        }
    }

    #[test]
    fn pauses_grow_and_end() {
        let pauses: Vec<_> = (0..8)
            .map(|attempt| pause(attempt, 7, &status(503)))
            .collect();
        let milliseconds = |n| Some(Duration::from_millis(n));
        assert_eq!(
            pauses[..3],
            [milliseconds(100), milliseconds(200), milliseconds(400)]
        );
        assert_eq!(pauses[6], Some(LONGEST));
        assert_eq!(pauses[7], None);
        assert_eq!(pause(40, 50, &status(500)), Some(LONGEST));
    }

    #[test]
    fn what_does_not_pass_is_not_tried_again() {
        for error in [
            status(404),
            status(403),
            IndexError::TimedOut { url: String::new() },
            IndexError::NoIndex,
        ] {
            assert_eq!(pause(0, 3, &error), None, "{error}");
        }
    }
}
