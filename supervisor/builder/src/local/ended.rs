//! How a run ended, judged once more when nothing of it is alive.

use std::sync::Arc;

use cache::Scratch;
use protocol::{Ending, HookReturn, Limits};

use super::meter::Meter;
use crate::executor::{Evidence, ExecuteError};
use crate::limit::{Known, Reached, Stopped};

/// How a conversation ended.
pub(super) enum Ended {
    /// With the worker's last word.
    Well(Box<Evidence>),
    /// Because a limit was reached.
    Limit(Reached),
    /// Otherwise.
    Failed(ExecuteError),
}

impl Ended {
    /// Believes no worker that says that nothing is left while something was.
    pub(super) fn unless_outlived(self, outlived: usize) -> Self {
        match self {
            Self::Well(_) if outlived > 0 => Self::Failed(ExecuteError::Outlived { outlived }),
            ended => ended,
        }
    }

    /// Judges the end once more, when nothing of the run is alive: a limit may have been reached that
    /// nobody saw, and be why the worker went away.
    pub(super) async fn judged(self, meter: &Arc<Meter>, limits: &Limits) -> Self {
        match self {
            Self::Well(evidence) => match evidence.claim.ending {
                // A clock of the worker's, which no build can touch.
                Ending::Reached(limit) => Self::Limit(Reached {
                    limit,
                    allowed: limit.of(limits),
                    used: meter.age_ms(),
                    known: Known::Clock,
                }),
                _ => {
                    let last = meter.last().await;
                    let last = last.or_else(|| meter.crowded(evidence.claim.killed));
                    last.map_or(Self::Well(evidence), Self::Limit)
                }
            },
            Self::Failed(
                error @ (ExecuteError::Vanished { .. } | ExecuteError::Truncated { .. }),
            ) => meter.refused().map_or(Self::Failed(error), Self::Limit),
            ended => ended,
        }
    }

    /// Says what came of the run, and gives back where it worked if that may still be of use.
    pub(super) fn told(
        self,
        returns: Vec<HookReturn>,
        scratch: Scratch,
        status: String,
    ) -> Result<(Evidence, Scratch), ExecuteError> {
        match self {
            Self::Well(evidence) => Ok((*evidence, scratch)),
            Self::Limit(reached) => Err(ExecuteError::Limit(Box::new(Stopped {
                reached,
                returns,
                scratch,
            }))),
            Self::Failed(error) => Err(error.with_status(status)),
        }
    }
}
