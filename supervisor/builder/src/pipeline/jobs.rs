//! A run's share of the host's jobs: its slot, and what it is lent while it goes on.

use std::future::Future;

use super::corridor::Pipeline;
use super::queue::{Permit, Wish};
use super::run::Run;
use crate::error::BuildError;
use crate::jobs::{FIFO, Sharing, Use, variables};
use crate::watch::BuildEvent;

/// A run that may go, until this is dropped.
pub(super) struct Going {
    // Given back first, so that whoever gets the permit finds it free.
    _job: Use,
    _permit: Option<Permit>,
}

impl Pipeline {
    /// Waits until a run may go: for its permit, of which this call has as many as it was told jobs, and for
    /// its slot, which it shares with other processes.
    pub(super) async fn going(&self, wish: Wish, label: &str) -> Going {
        let settings = &self.settings;
        let asking = settings.executor.jobs().asks(settings.jobs);
        let permit = self.queue.permit(wish).await;
        let announce = || {
            self.say(BuildEvent::Waiting {
                label: label.to_owned(),
                what: "jobs of this host that are under way".to_owned(),
            });
        };
        Going {
            _job: asking.slot(announce).await,
            _permit: permit,
        }
    }

    /// Who shares the jobs of this host: what the policy's own PATH tells, and no environment's.
    fn sharing(&self) -> Sharing {
        let settings = &self.settings;
        let told = settings.executor.jobs().sharing(|| {
            let compiled = crate::assignment::compile(&settings.policy, &[], &settings.facts, None);
            let variables = compiled.ok()?.environment;
            let path = variables.into_iter().find(|(name, _)| name == "PATH")?.1;
            Some(Sharing::on(&path))
        });
        told.unwrap_or(Sharing::NinjaAlone)
    }
}

impl Run<'_> {
    /// Has the hooks go on to their end, and lends them jobs meanwhile.
    pub(super) async fn lent_jobs<T>(&self, run: impl Future<Output = T>) -> T {
        let settings = &self.pipeline.settings;
        let jobs = settings.executor.jobs();
        jobs.serve(self.fifo.as_ref(), settings.jobs, run).await
    }

    /// The variables that tell a build of that.
    pub(super) fn told_of_jobs(&self) -> Result<Vec<(String, String)>, BuildError> {
        if self.fifo.is_none() {
            return Ok(Vec::new());
        }
        let fifo = self.layout.room('t')?.join(FIFO)?;
        Ok(variables(&fifo, self.pipeline.sharing()))
    }
}
