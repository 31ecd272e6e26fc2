//! The build itself: a worker that unpacks and calls hooks, a second one where a hook asks for more.

use std::sync::Arc;

use cache::{Scratch, Standing};
use model::PackageName;
use protocol::Hook;
use sources::{BuildSystem, Source};

use super::corridor::{Expectation, Pipeline, blocking};
use super::dialogue::dialogue;
use super::equip::Equipment;
use super::{judge, requirements};
use crate::assignment::{Layout, compile, hook_program, unpack_order};
use crate::build_id::BuildId;
use crate::canary::Home;
use crate::error::BuildError;
use crate::executor::{Evidence, ExecuteError, Executor, Job, LineSink};
use crate::furnished::{furnished, is_full};
use crate::hints::Hints;
use crate::hook::HookRequest;
use crate::local::UidLease;
use crate::redact::Redactor;
use crate::wants::Wants;
use crate::watch::BuildEvent;

/// A build that ended well: everything that publishing needs.
pub(super) struct Made {
    pub(super) build: BuildId,
    /// What people call it.
    pub(super) label: String,
    pub(super) scratch: Scratch,
    pub(super) evidence: Evidence,
    pub(super) equipment: Equipment,
    pub(super) backend: String,
    pub(super) requires_by_hook: Vec<String>,
    pub(super) hooks: Vec<(String, u64)>,
    pub(super) home: Home,
    /// Held until the output is judged: the files are the uid's.
    pub(super) uid: Option<UidLease>,
}

/// One build on its way.
struct Run<'a> {
    pipeline: &'a Pipeline,
    source: &'a Source,
    build: BuildId,
    layout: Layout,
    request: HookRequest,
    label: String,
    home: Home,
}

/// What is built, whichever attempt at it this is.
pub(super) struct Work<'a> {
    pub(super) source: &'a Source,
    pub(super) system: &'a BuildSystem,
    pub(super) build: BuildId,
    /// What people call it.
    pub(super) label: String,
}

impl Pipeline {
    /// Runs the hooks of `source` in its environment; once more with the trace on, if that may explain a failure.
    pub(super) async fn make(
        &self,
        source: &Source,
        system: &BuildSystem,
        equipment: Equipment,
        expectation: &Expectation,
    ) -> Result<Made, BuildError> {
        let cache = self.settings.cache.clone();
        let build = blocking("make a log", move || {
            let logs = cache.bucket(cache::Bucket::Logs);
            BuildId::take(&cache).map_err(|source| BuildError::Io {
                doing: "make a log in",
                path: logs,
                source,
            })
        })
        .await?;
        let name = expectation.name.as_ref();
        let work = Work {
            source,
            system,
            build,
            label: name.map_or_else(|| source.label.clone(), ToString::to_string),
        };
        let bytes = Standing::of(&source.path);
        let trace = self.traces();
        let error = match self.attempt(&work, equipment.clone(), trace).await {
            Ok(made) => {
                if trace {
                    self.propose(&work, &made.evidence.traces, &[]).await;
                }
                return Ok(made);
            }
            Err(error) => error,
        };
        // Without its source a build fails in one of many ways, and none tells why.
        let error = if is_gone(bytes.as_ref()) {
            removed(&source.label)
        } else {
            self.explained(&work, equipment, error).await
        };
        self.sum_up(&work.build, &work.label, source, Err((&error, expectation)));
        Err(error.in_build(work.build.name(), Vec::new()))
    }

    /// Whether what is built now is traced from the start: what was asked for, not what it needs first.
    pub(super) fn traces(&self) -> bool {
        self.settings.trace && self.chain.is_empty()
    }

    /// Runs the hooks once, in a scratch of its own.
    pub(super) async fn attempt(
        &self,
        work: &Work<'_>,
        equipment: Equipment,
        trace: bool,
    ) -> Result<Made, BuildError> {
        let settings = &self.settings;
        let host = settings.executor.host().await?;
        let uid = settings.executor.lease_uid(host)?;
        let cache = settings.cache.clone();
        let leased = uid.as_ref().map(UidLease::uid);
        let hidden = Redactor::of(&settings.variables);
        let (scratch, home) = blocking("make a scratch", move || {
            let scratch = furnished(&cache)?;
            let room = scratch.path().join("h");
            let home = Home::lay(&room, leased, hidden).map_err(|source| BuildError::Io {
                doing: "furnish",
                path: room,
                source,
            })?;
            Ok((scratch, home))
        })
        .await?;
        let root = settings.cache.root();
        let mut layout = Layout::new(host, leased, scratch.path(), root)?;
        layout.trace = trace;
        let mut project = layout.room('s')?;
        if let Some(folder) = &work.source.id.subdirectory {
            project = project.join(folder)?;
        }
        let limits = settings.limits.over(settings.policy.limits());
        let request = HookRequest {
            system: work.system.clone(),
            project: project.to_string(),
            output: layout.room('o')?.to_string(),
            settings: settings.config_settings.clone(),
            wall_ms: limits.wall_ms,
        };
        let run = Run {
            pipeline: self,
            source: work.source,
            build: work.build.clone(),
            layout,
            request,
            label: work.label.clone(),
            home,
        };
        run.hooks(scratch, equipment, uid).await
    }

    /// Leaves a scratch for somebody to look at, if that was asked for.
    fn keep(&self, scratch: Scratch, label: &str) {
        if self.settings.keep_scratch {
            let text = format!("the scratch is kept: {}", scratch.keep().display());
            self.say(BuildEvent::Note {
                label: label.to_owned(),
                text,
            });
        }
    }
}

impl Run<'_> {
    async fn hooks(
        self,
        scratch: Scratch,
        equipment: Equipment,
        uid: Option<UidLease>,
    ) -> Result<Made, BuildError> {
        let markers = &self.pipeline.settings.facts.markers;
        let first = Hook::GetRequiresForBuildWheel;
        let (evidence, scratch) = self.run(scratch, &equipment, first, true).await?;
        let judged = judge::early(&evidence, &self.request)
            .and_then(|()| judge::asked_for(&evidence, &self.request));
        let asked = match judged {
            Ok(asked) => asked,
            Err(error) => return Err(self.failed(scratch, error).await),
        };
        let more = self
            .pipeline
            .requirements(&asked, "get_requires_for_build_wheel")?;
        let all_there = more
            .iter()
            .all(|one| requirements::satisfied(one, &equipment.environment, markers));
        let mut hooks = timed(&evidence);
        let (evidence, scratch, equipment) = if all_there {
            (evidence, scratch, equipment)
        } else {
            let mut roots = equipment.roots.clone();
            roots.extend(more);
            let name = PackageName::new(self.label.clone()).ok();
            let equipment = self
                .pipeline
                .environment_for(roots, &self.source.label, name.as_ref())
                .await?;
            let (mut second, scratch) = self
                .run(scratch, &equipment, Hook::BuildWheel, false)
                .await?;
            hooks.extend(timed(&second));
            second.denials.splice(..0, evidence.denials);
            (second, scratch, equipment)
        };
        let judged = judge::early(&evidence, &self.request)
            .and_then(|()| judge::built(&evidence, &self.request));
        if let Err(error) = judged {
            return Err(self.failed(scratch, error).await);
        }
        // A build that swallowed the error of a full disk may have left something out.
        if is_full(&scratch) {
            return Err(BuildError::DiskFull);
        }
        Ok(Made {
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
        })
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
            let told = blocking("read a log", move || {
                let hints = Hints::of(&log, &problem, project.as_deref());
                Ok((Wants::of(&log, &source), hints))
            });
            (failure.wants, failure.hints) = told.await.unwrap_or_default();
        }
        // The second run is ours; what is looked at is the first.
        if self.layout.trace == self.pipeline.traces() {
            self.pipeline.keep(scratch, &self.label);
        }
        error
    }

    fn limits(&self) -> protocol::Limits {
        let settings = &self.pipeline.settings;
        settings.limits.over(settings.policy.limits())
    }

    /// One worker in one environment, beginning with `first`.
    async fn run(
        &self,
        scratch: Scratch,
        equipment: &Equipment,
        first: Hook,
        unpack: bool,
    ) -> Result<(Evidence, Scratch), BuildError> {
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
        let mut variables = compiled.environment;
        variables.extend(self.layout.variables()?);
        variables.extend(
            settings
                .source_date_epoch
                .map(|at| ("SOURCE_DATE_EPOCH".to_owned(), at.to_string())),
        );
        variables.extend(
            settings
                .variables
                .iter()
                .map(|(name, value)| (name.clone(), value.clone())),
        );
        // A declared variable is the caller's word and wins over the policy's.
        let variables: std::collections::BTreeMap<_, _> = variables.into_iter().collect();
        let subdirectory = self.source.id.subdirectory.as_deref();
        let program = hook_program(
            &self.layout,
            environment,
            variables.into_iter().collect(),
            subdirectory,
        )?;
        let order = if unpack {
            Some(unpack_order(&self.source.path, self.source.top)?)
        } else {
            None
        };
        let limits = settings.limits.over(&compiled.limits);
        let job = Job {
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
        };
        self.stage(if unpack { "unpack" } else { first.name() });
        let environment = Standing::of(&environment.path);
        let outcome = settings.executor.execute(job).await;
        // A backend that does not find a module may well do without it, and make another wheel.
        if is_gone(environment.as_ref()) {
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
fn is_gone(seen: Option<&Standing>) -> bool {
    !seen.is_some_and(Standing::stands)
}

fn removed(what: &str) -> BuildError {
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
