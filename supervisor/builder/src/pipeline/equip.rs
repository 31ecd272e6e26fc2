//! From build requirements to one immutable, shared environment.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use environment::{
    Environment, Question, Root, Soundness, Staged, WheelInput, discard_environment,
    environment_name, look_for_environment, resolve, stage,
};
use futures::future::try_join_all;
use model::{PackageName, Requirement};
use protocol::{Enforcement, Guarantee};
use sources::BuildSystem;
use tokio::sync::OnceCell;

use super::bytecode::{Mode, compile_bytecode};
use super::corridor::{Pipeline, blocking};
use super::identify::python_version;
use super::needs::Holding;
use super::provider::{BuildProvider, provider};
use super::requirements::{self, Urls};
use crate::error::BuildError;
use crate::watch::BuildEvent;

/// Environments by the requirements that they were asked to hold.
pub(crate) type Memo = Mutex<BTreeMap<String, Arc<OnceCell<Environment>>>>;

/// An environment and the requirements that led to it.
#[derive(Clone, Debug)]
pub(super) struct Equipment {
    pub(super) environment: Environment,
    pub(super) roots: Vec<Requirement>,
}

impl Pipeline {
    /// Makes or finds the environment for what `pyproject.toml` requires.
    pub(super) async fn equip(
        &self,
        label: &str,
        system: &BuildSystem,
        name: Option<&PackageName>,
    ) -> Result<Equipment, BuildError> {
        let mut roots =
            self.requirements(&system.requires, "build-system.requires in pyproject.toml")?;
        let settings = &self.settings;
        settings
            .match_runtime
            .settled(name, &settings.facts.markers)?;
        let extra = name.and_then(|name| self.settings.extra_build_deps.get(name));
        roots.extend(extra.into_iter().flatten().cloned());
        self.environment_for(roots, label, name).await
    }

    /// Reads requirements that come from a package.
    pub(super) fn requirements(
        &self,
        texts: &[String],
        origin: &'static str,
    ) -> Result<Vec<Requirement>, BuildError> {
        requirements::read(texts, origin, &Urls::of(&self.settings))
    }

    /// Makes or finds the environment for `roots`; equal requests of one call share the work.
    pub(super) async fn environment_for(
        &self,
        roots: Vec<Requirement>,
        label: &str,
        name: Option<&PackageName>,
    ) -> Result<Equipment, BuildError> {
        let mut texts: Vec<_> = roots.iter().map(ToString::to_string).collect();
        texts.sort();
        let label = name.map_or_else(|| label.to_owned(), ToString::to_string);
        let pipeline = if self.chain.is_empty() {
            self.deeper(&label)
        } else {
            self.clone()
        };
        // Below a chain, what is being built matters for naming a cycle.
        let key = format!("{}\n{}", texts.join("\n"), self.chain.join("\n"));
        let work = format!("environment for {key}");
        let needs = &self.turns.needs;
        let _need = needs.note(self.holding.as_ref(), &work, &pipeline.chain)?;
        let cell = {
            let mut memo = self
                .environments
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            Arc::clone(memo.entry(key).or_default())
        };
        let environment = cell
            .get_or_try_init(|| async {
                let holding = Some(Holding::new(work, &pipeline.chain));
                let pipeline = Self {
                    holding,
                    ..pipeline
                };
                pipeline.make_environment(&roots, &label).await
            })
            .await?
            .clone();
        Ok(Equipment { environment, roots })
    }

    async fn make_environment(
        &self,
        roots: &[Requirement],
        label: &str,
    ) -> Result<Environment, BuildError> {
        self.say(BuildEvent::Resolving {
            label: label.to_owned(),
        });
        let settings = &self.settings;
        let (roots, fixed) = self.built_from_urls(roots).await?;
        let provider = provider(self, fixed);
        let window: Arc<dyn environment::Provider> = Arc::clone(&provider) as _;
        let python = python_version(&settings.facts);
        let roots: Vec<_> = roots.into_iter().map(Root::from).collect();
        let question = Question {
            roots: &roots,
            constraints: &settings.build_constraints,
            markers: &settings.facts.markers,
            python: &python,
            pre: false,
            prefer_binary: settings.prefer_binary,
            urls: BTreeMap::new(),
        };
        let resolution = resolve(&question, window).await.map_err(unwrapped)?;
        let chosen = resolution.0.iter();
        let chosen = chosen.map(|(name, chosen)| (name, &chosen.candidate));
        let wheels = fetch_all(&provider, chosen).await?;
        let name = environment_name(&wheels, &settings.facts);
        if let Some(found) = self.find(&name).await? {
            return Ok(found);
        }
        let _turn = self.turn(format!("environment {name}"), label).await?;
        if let Some(found) = self.find(&name).await? {
            return Ok(found);
        }
        self.say(BuildEvent::Preparing {
            label: label.to_owned(),
            packages: wheels.len(),
        });
        self.install(wheels).await
    }

    /// Looks for an environment that is whole. Where a build could have changed what an
    /// environment's files look like, one that was touched is thrown away.
    async fn find(&self, name: &model::Sha256) -> Result<Option<Environment>, BuildError> {
        let host = self.settings.executor.host().await?;
        let kept = host.report.guarantees.get(&Guarantee::Metadata) == Some(&Enforcement::Enforced);
        let (cache, name) = (self.settings.cache.clone(), *name);
        blocking("look for an environment", move || {
            match look_for_environment(&cache, &name) {
                Some((found, Soundness::Touched(difference))) if !kept => {
                    let path = found.path.display();
                    tracing::warn!(%difference, %path, "an environment was changed and is made anew");
                    discard_environment(&cache, &name)?;
                    Ok(None)
                }
                other => Ok(other.map(|(found, _)| found)),
            }
        })
        .await
    }

    /// Lays the wheels out, has the base interpreter compile them in a worker, and publishes.
    async fn install(&self, wheels: Vec<WheelInput>) -> Result<Environment, BuildError> {
        let settings = Arc::clone(&self.settings);
        let mut staged = blocking("lay an environment out", move || {
            Ok(stage(&settings.cache, &wheels, &settings.facts)?)
        })
        .await?;
        if !staged.bytecode().is_empty() {
            staged = self.compile(staged).await?;
        }
        let cache = self.settings.cache.clone();
        blocking(
            "publish an environment",
            move || Ok(staged.publish(&cache)?),
        )
        .await
    }

    /// Byte-compiles a staged environment. Without bytecode it is slower, not wrong.
    async fn compile(&self, mut staged: Staged) -> Result<Staged, BuildError> {
        let Some(compiled) =
            compile_bytecode(&self.settings, staged.root(), Mode::Unchecked).await?
        else {
            return Ok(staged);
        };
        blocking("take the bytecode over", move || {
            staged.adopt(&compiled.folder())?;
            Ok(staged)
        })
        .await
    }
}

/// Fetches or builds every wheel of a resolution.
async fn fetch_all<'a>(
    provider: &Arc<BuildProvider>,
    chosen: impl Iterator<Item = (&'a PackageName, &'a index::Candidate)>,
) -> Result<Vec<WheelInput>, BuildError> {
    try_join_all(chosen.map(|(name, candidate)| provider.wheel(name, candidate))).await
}

/// Takes an error of a build out of the resolver's wrapping, so that its own words are shown.
fn unwrapped(error: environment::ResolveError) -> BuildError {
    BuildError::Resolve(error)
}
