//! One run of hooks: a worker that unpacks and calls them, a second one where a hook asks for more.

use std::sync::Arc;

use cache::{Scratch, Standing};
use model::PackageName;
use protocol::{Hook, Unpack};
use sources::Source;

use super::corridor::{Pipeline, blocking};
use super::dialogue::dialogue;
use super::equip::Equipment;
use super::jobs::Going;
use super::make::Made;
use super::queue::Wish;
use super::{judge, requirements};
use crate::assignment::{Layout, compile, hook_program, unpack_order};
use crate::build_id::BuildId;
use crate::canary::Home;
use crate::error::BuildError;
use crate::executor::{Evidence, ExecuteError, Executor, Job, LineSink};
use crate::furnished::is_full;
use crate::hints::{Hints, Refuser};
use crate::hook::{Goal, HookRequest};
use crate::jobs::Fifo;
use crate::kept_build::Confined;
use crate::local::{Lease, UidLease};
use crate::wants::Wants;
use crate::watch::BuildEvent;

/// What a run of hooks came to.
pub(super) enum Came {
    /// Something that can be judged.
    Made(Box<Made>),
    /// A wish for more, out of a slot: it begins anew in this environment, which holds it.
    WishForMore(Equipment),
    /// Nothing, before the first call: the slot was of no use.
    Nothing(Equipment),
}

/// One build on its way.
pub(super) struct Run<'a> {
    pub(super) pipeline: &'a Pipeline,
    pub(super) source: &'a Source,
    pub(super) build: BuildId,
    pub(super) layout: Layout,
    pub(super) request: HookRequest,
    /// The package whose settings count, if it is known.
    pub(super) package: Option<PackageName>,
    pub(super) label: String,
    pub(super) home: Home,
    /// What it is lent jobs through.
    pub(super) fifo: Option<Fifo>,
}

impl Run<'_> {
    /// Runs the hooks, in a second environment where the first one asks for more.
    pub(super) async fn hooks(
        self,
        place: (Scratch, Option<Arc<UidLease>>),
        equipment: Equipment,
        lease: Option<Lease>,
        going: Going,
    ) -> Result<Came, BuildError> {
        let markers = &self.pipeline.settings.facts.markers;
        let goal = self.request.goal;
        let first = goal.first();
        let terms = lease.as_ref().map(Lease::terms);
        let (scratch, uid) = place;
        let (evidence, scratch) = match self.run(scratch, &equipment, first, lease).await {
            Err(BuildError::Execute(ExecuteError::Slot(error))) => {
                tracing::info!(%error, label = %self.label, "the build gets an interpreter of its own");
                return Ok(Came::Nothing(equipment));
            }
            outcome => outcome?,
        };
        let judged = judge::early(&evidence, &self.request)
            .and_then(|()| judge::asked_for(&evidence, &self.request));
        let asked = match judged {
            Ok(asked) => asked,
            Err(error) => return Err(self.failed(scratch, error).await),
        };
        let more = self.pipeline.requirements(&asked, goal.first().name())?;
        let all_there = more
            .iter()
            .all(|one| requirements::satisfied(one, &equipment.environment, markers));
        let mut hooks = timed(&evidence);
        let _going;
        let (evidence, scratch, equipment) = if all_there {
            _going = going;
            (evidence, scratch, equipment)
        } else {
            let mut roots = equipment.roots.clone();
            roots.extend(more);
            // What is needed may have to be built: this run waits, so another one may go on.
            drop(going);
            let equipment = self
                .pipeline
                .environment_for(roots, &self.source.label, self.package.as_ref())
                .await?;
            let wish = Wish {
                goes_on: true,
                ..Wish::default()
            };
            _going = self.pipeline.going(wish, &self.label).await;
            if goal == Goal::Requirements {
                (evidence, scratch, equipment)
            } else if let Some(terms) = terms {
                // The rooms would be elsewhere, or the slot's uid another's at the same time.
                self.pipeline.settings.executor.forgo(terms).await;
                return Ok(Came::WishForMore(equipment));
            } else {
                let (mut second, scratch) = self.again(scratch, &equipment, goal.second()).await?;
                hooks.extend(timed(&second));
                second.denials.splice(..0, evidence.denials);
                (second, scratch, equipment)
            }
        };
        let judged = judge::early(&evidence, &self.request)
            .and_then(|()| judge::done(&evidence, &self.request));
        let by = match judged {
            Ok(by) => by,
            Err(error) => return Err(self.failed(scratch, error).await),
        };
        // A build that swallowed the error of a full disk may have left something out.
        if is_full(&scratch) {
            return Err(BuildError::DiskFull);
        }
        Ok(Came::Made(Box::new(Made {
            by,
            config_settings: self.request.settings.clone(),
            build: self.build,
            label: self.label,
            scratch,
            evidence,
            equipment,
            backend: self.request.backend().to_owned(),
            requires_by_hook: asked,
            hooks,
            home: self.home,
            uid,
            watcher: Arc::clone(&self.pipeline.watcher),
        })))
    }

    /// A build that failed on a full disk failed because of it; one that failed by itself may have wanted to
    /// fetch something.
    async fn failed(&self, scratch: Scratch, error: BuildError) -> BuildError {
        let mut error = judge::at_limit(error, &self.limits());
        if is_full(&scratch) && !matches!(error, BuildError::Limit { .. }) {
            return BuildError::DiskFull;
        }
        if let BuildError::Hook(failure) = &mut error {
            let (log, source) = (self.build.log(), scratch.path().join("s"));
            let project = PackageName::new(self.label.clone()).ok();
            let project = project.map(|name| name.to_string());
            let problem = failure.problem.to_string();
            let refuser = Refuser::of(&failure.isolation, &self.limits());
            let told = blocking("read a log", move || {
                let hints = Hints::of(&log, &problem, project.as_deref()).refused_by(refuser);
                Ok((Wants::of(&log, &source), hints))
            });
            (failure.wants, failure.hints) = told.await.unwrap_or_default();
            failure.shared = self.layout.in_slot;
        }
        if self.is_first() {
            self.pipeline.keep(scratch, &self.build, &self.label);
        }
        error
    }

    /// Whether this is what was asked for: a second run is ours; what is looked at is the first.
    fn is_first(&self) -> bool {
        self.layout.trace == self.pipeline.traces()
    }

    fn limits(&self) -> protocol::Limits {
        let settings = &self.pipeline.settings;
        settings.limits.over(settings.policy.limits())
    }

    /// Unpacks the source and calls the hooks, beginning with `first`.
    async fn run(
        &self,
        scratch: Scratch,
        equipment: &Equipment,
        first: Hook,
        lease: Option<Lease>,
    ) -> Result<(Evidence, Scratch), BuildError> {
        let source = unpack_order(&self.source.path, self.source.top)?;
        self.stage("unpack");
        let job = self.job(scratch, equipment, first, Some(source))?;
        let executor = &self.pipeline.settings.executor;
        let environment = Standing::of(&equipment.environment.path);
        let run = async {
            match lease {
                Some(lease) => executor.execute_in(job, lease).await,
                None => executor.execute(job).await,
            }
        };
        let outcome = self.lent_jobs(run).await;
        self.came_of(outcome, environment.as_ref()).await
    }

    /// Calls the hooks that come after the first in another environment, on the same tree.
    async fn again(
        &self,
        scratch: Scratch,
        equipment: &Equipment,
        first: Hook,
    ) -> Result<(Evidence, Scratch), BuildError> {
        self.stage(first.name());
        let job = self.job(scratch, equipment, first, None)?;
        let environment = Standing::of(&equipment.environment.path);
        let run = self.pipeline.settings.executor.execute(job);
        let outcome = self.lent_jobs(run).await;
        self.came_of(outcome, environment.as_ref()).await
    }

    /// One worker in one environment, beginning with `first`.
    fn job(
        &self,
        scratch: Scratch,
        equipment: &Equipment,
        first: Hook,
        order: Option<Unpack>,
    ) -> Result<Job, BuildError> {
        let settings = &self.pipeline.settings;
        let environment = &equipment.environment;
        let host_path = protocol::AbsPath::new(&environment.path)?;
        let seen_as = self.layout.environment(&environment.path)?;
        let compiled = compile(
            &settings.policy,
            &settings.extras_of(&self.source.id),
            &settings.facts,
            Some((host_path, seen_as)),
        )?;
        if self.is_first() {
            let confined = Confined {
                label: &self.label,
                scratch: scratch.path(),
                layout: &self.layout,
                environment: &environment.path,
                source: &self.source.id,
                compiled: &compiled,
            };
            self.pipeline.note_confinement(&self.build, &confined);
        }
        let mut variables = self.told_of_jobs()?;
        variables.extend(compiled.environment);
        variables.extend(self.layout.variables()?);
        variables.extend(
            settings
                .source_date_epoch
                .map(|at| ("SOURCE_DATE_EPOCH".to_owned(), at.to_string())),
        );
        variables.extend(settings.variables_of(self.package.as_ref()));
        // A declared variable is the caller's word and wins over the policy's.
        let variables: std::collections::BTreeMap<_, _> = variables.into_iter().collect();
        let subdirectory = self.source.id.subdirectory.as_deref();
        let program = hook_program(
            &self.layout,
            environment,
            variables.into_iter().collect(),
            (self.request.backend(), subdirectory),
        )?;
        let limits = settings.limits.over(&compiled.limits);
        Ok(Job {
            assignment: self
                .layout
                .assignment(compiled.grants, limits, order, Some(program))?,
            scratch,
            dialogue: dialogue(&self.request, equipment, first, settings, self.announce()),
            floor: settings.floor.clone(),
            log: Some(self.build.log()),
            lines: Some(self.lines()),
            redactor: self.home.redactor(),
            watched: self.home.is_watched(),
            stream: None,
        })
    }

    /// Judges how a worker ended, and its environment with it.
    async fn came_of(
        &self,
        outcome: Result<(Evidence, Scratch), ExecuteError>,
        environment: Option<&Standing>,
    ) -> Result<(Evidence, Scratch), BuildError> {
        // A backend that does not find a module may well do without it, and make another wheel.
        if is_gone(environment) {
            return Err(removed("the build environment"));
        }
        match outcome {
            Err(ExecuteError::Limit(stopped)) => {
                let error = judge::stopped(&stopped, &self.request);
                Err(self.failed(stopped.scratch, error).await)
            }
            outcome => {
                let (mut evidence, scratch) = outcome?;
                self.home.report(&mut evidence);
                Ok((evidence, scratch))
            }
        }
    }

    fn stage(&self, stage: &'static str) {
        self.pipeline.say(BuildEvent::Building {
            label: self.label.clone(),
            build: self.build.name().to_owned(),
            stage,
        });
    }

    fn lines(&self) -> LineSink {
        let watcher = Arc::clone(&self.pipeline.watcher);
        let build = self.build.name().to_owned();
        Arc::new(move |line: &str| {
            watcher.event(&BuildEvent::Output {
                build: build.clone(),
                line: line.to_owned(),
            });
        })
    }

    /// Tells of each hook before it is called.
    fn announce(&self) -> impl FnMut(Hook) + Send + 'static {
        let watcher = Arc::clone(&self.pipeline.watcher);
        let (label, build) = (self.label.clone(), self.build.name().to_owned());
        move |hook| {
            watcher.event(&BuildEvent::Building {
                label: label.clone(),
                build: build.clone(),
                stage: hook.name(),
            });
        }
    }
}

/// Whether something of the cache was removed since it was seen, or before.
pub(super) fn is_gone(seen: Option<&Standing>) -> bool {
    !seen.is_some_and(Standing::stands)
}

pub(super) fn removed(what: &str) -> BuildError {
    BuildError::Removed {
        what: what.to_owned(),
    }
}

/// The hooks of a run with their times.
fn timed(evidence: &Evidence) -> Vec<(String, u64)> {
    evidence
        .returns
        .iter()
        .map(|one| (one.hook.name().to_owned(), one.elapsed_ms))
        .collect()
}
