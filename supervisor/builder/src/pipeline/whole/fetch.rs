//! A plan whose files are fetched, and whose builds are prepared as far as can be without building: what they
//! need is there afterwards, and the network is not needed for them any more.

use std::sync::Arc;

use sources::Located;

use super::super::abreast::abreast;
use super::super::corridor::{Expectation, Pipeline};
use super::super::retrace;
use super::carry_out::in_order;
use crate::error::BuildError;
use crate::hook::Goal;
use crate::key::key_of;
use crate::outcome::Failure;
use crate::plan::{Fetched, FetchedKind, Means, Plan, Planned};
use crate::settings::Settings;
use crate::watch::{BuildEvent, Watcher};

/// Brings everything that carrying out `plan` needs into the cache: wheels of indexes, sources, and the closure of
/// their build requirements, of which those without a wheel are built. What a build asks for beyond what it
/// declares is known by its hook alone, which runs in a worker. Answers come as those of [`super::carry_out`].
pub async fn fetch(
    settings: Arc<Settings>,
    plan: &Plan,
    watcher: Arc<dyn Watcher>,
) -> Vec<Result<Fetched, Failure>> {
    let pipeline = Pipeline::continuing(settings, plan, watcher);
    let brought = abreast(plan.to_come().map(|one| pipeline.fetch(one))).await;
    in_order(plan, brought)
}

impl Pipeline {
    async fn fetch(&self, planned: &Planned) -> Result<Fetched, Failure> {
        self.say(BuildEvent::Started {
            spec: planned.label.clone(),
        });
        let outcome = match &planned.means {
            Means::Broken(failure) => return Err(failure.as_ref().clone()),
            Means::Wheel(file) => self
                .download_wheel(file, None, None)
                .await
                .map(|wheel| Fetched::wheel(planned, wheel)),
            Means::Given(given) => self
                .take_given(given)
                .await
                .map(|wheel| Fetched::wheel(planned, wheel)),
            Means::Kept(kept) => {
                let record = &kept.record;
                let what = (
                    record.filename.clone(),
                    record.wheel.sha256,
                    record.wheel.size,
                );
                Ok(Fetched::new(planned, FetchedKind::Kept, what))
            }
            Means::Installed => Err(BuildError::Task {
                doing: "fetch what is installed",
            }),
            Means::Source(source) => self.fetch_source(planned, source).await,
        };
        outcome.map_err(|error| {
            self.say(BuildEvent::Failed {
                label: planned.label.clone(),
                code: error.code(),
            });
            self.failure(&planned.label, &error)
        })
    }

    /// Fetches a source and makes every environment that its build will ask for.
    async fn fetch_source(
        &self,
        planned: &Planned,
        located: &Located,
    ) -> Result<Fetched, BuildError> {
        let expectation = &Expectation {
            name: Some(planned.name.clone()),
            version: Some(planned.version.clone()),
        };
        let (source, looked, equipment) = self.prepare(located, expectation).await?;
        let package = looked.package(expectation);
        let key = key_of(&source.id, &self.settings, package.as_ref())?;
        let turn = self.turn(format!("wheel {key}"), &source.label).await?;
        let what = (&source, &looked.system, package);
        let made = self
            .within(&turn)
            .make(Goal::Requirements, what, equipment, expectation)
            .await?;
        let told = retrace::Told {
            denials: &made.evidence.denials,
            file: None,
            name: &planned.name,
            version: &planned.version,
        };
        let run = (&made.build, Goal::Requirements);
        self.sum_up(run, &made.label, &source, Ok(told));
        let digest = source.id.digest;
        let what = (source.label.clone(), digest.sha256, digest.size);
        let fetched = Fetched {
            build_requires: made.equipment.environment.packages.clone(),
            asked_by_hook: made.requires_by_hook.clone(),
            denials: made.evidence.denials.clone(),
            ..Fetched::new(planned, FetchedKind::Source, what)
        };
        let settings = Arc::clone(&self.settings);
        super::super::corridor::blocking("clear a scratch", move || made.clear(&settings)).await?;
        Ok(fetched)
    }
}
