//! A plan carried out: every wheel fetched or built, each as far as it goes.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::super::abreast::abreast;
use super::super::corridor::{Expectation, Pipeline, wheel_of};
use crate::error::BuildError;
use crate::outcome::{Failure, Origin, Wheel};
use crate::plan::{Means, Plan, Planned};
use crate::settings::Settings;
use crate::shelf::Kept;
use crate::watch::{BuildEvent, Watcher};

/// Fetches and builds what `plan` says, many at once; what fails holds up nothing else. Answers come in the
/// order of [`Plan::projects`], without those that are installed, with the plan's own failures at their places among what was asked for. Dropping the
/// future ends every worker.
pub async fn carry_out(
    settings: Arc<Settings>,
    plan: &Plan,
    watcher: Arc<dyn Watcher>,
) -> Vec<Result<Wheel, Failure>> {
    let pipeline = Pipeline::continuing(settings, plan, watcher);
    let made = abreast(plan.to_come().map(|one| pipeline.carry_out(one))).await;
    in_order(plan, made)
}

/// Puts what became of the projects of a plan into its order, with the plan's own failures at their places.
pub(super) fn in_order<T>(plan: &Plan, made: Vec<Result<T, Failure>>) -> Vec<Result<T, Failure>> {
    let places = plan.to_come().map(|one| one.asked);
    let mut all: Vec<_> = places
        .map(|at| at.unwrap_or(usize::MAX))
        .zip(made)
        .collect();
    for (at, failure) in &plan.failures {
        all.push((*at, Err(failure.clone())));
    }
    all.sort_by_key(|(at, _)| *at);
    let (_, all): (Vec<_>, Vec<_>) = all.into_iter().unzip();
    all
}

impl Pipeline {
    /// Goes on after a plan, with what was learned and done for it.
    pub(super) fn continuing(
        settings: Arc<Settings>,
        plan: &Plan,
        watcher: Arc<dyn Watcher>,
    ) -> Self {
        let settings = if settings.match_runtime.wanted.is_empty() {
            settings
        } else {
            Arc::new(settings.matched(&plan.versions()))
        };
        Self {
            environments: Arc::clone(&plan.environments),
            turns: Arc::clone(&plan.turns),
            told: Arc::clone(&plan.told),
            built: Arc::clone(&plan.built),
            ..Self::new(settings, watcher)
        }
    }

    async fn carry_out(&self, planned: &Planned) -> Result<Wheel, Failure> {
        let since = Instant::now();
        self.say(BuildEvent::Started {
            spec: planned.label.clone(),
        });
        let outcome = match &planned.means {
            Means::Broken(failure) => Err(failure.as_ref().clone()),
            Means::Wheel(file) => self
                .download_wheel(file, None, None)
                .await
                .map_err(|error| self.failure(&planned.label, &error)),
            Means::Given(given) => self
                .take_given(given)
                .await
                .map_err(|error| self.failure(&planned.label, &error)),
            Means::Kept(kept) => Ok(self.on_the_shelf(kept.as_ref().clone())),
            Means::Installed => {
                let doing = "make what is installed";
                Err(self.failure(&planned.label, &BuildError::Task { doing }))
            }
            Means::Source(source) => {
                let expectation = Expectation {
                    name: Some(planned.name.clone()),
                    version: Some(planned.version.clone()),
                };
                let outcome: Result<_, BuildError> = self.build(source, &expectation).await;
                outcome
                    .map(|(kept, origin)| wheel_of(kept, origin))
                    .map_err(|error| self.failure(&planned.label, &error))
            }
        };
        match outcome {
            Ok(mut wheel) => {
                wheel.commit.clone_from(&planned.commit);
                wheel.seconds += since.elapsed().as_secs_f64();
                self.say(BuildEvent::Finished {
                    label: wheel.filename.clone(),
                    origin: wheel.origin,
                    seconds: wheel.seconds,
                });
                Ok(wheel)
            }
            Err(failure) => {
                self.say(BuildEvent::Failed {
                    label: planned.label.clone(),
                    code: failure.code,
                });
                Err(failure)
            }
        }
    }

    /// Takes a wheel off the shelf that may have come there in this call.
    fn on_the_shelf(&self, kept: Kept) -> Wheel {
        let built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        if !built.contains(&kept.record.build) {
            return wheel_of(kept, Origin::Cached);
        }
        let milliseconds: u64 = kept.record.hooks.iter().map(|(_, spent)| spent).sum();
        Wheel {
            seconds: Duration::from_millis(milliseconds).as_secs_f64(),
            ..wheel_of(kept, Origin::Built)
        }
    }
}
