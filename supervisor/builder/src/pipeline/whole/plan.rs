//! From what is wanted to a plan: one version of each project, and what its wheel would be.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use environment::{Chosen, Question, Resolution, Root, resolve};
use model::PackageName;
use sources::{Spec, Wanted};

use super::super::abreast::abreast;
use super::super::corridor::{Expectation, Pipeline};
use super::super::identify::python_version;
use super::settle::{Ready, Settled, rivals, url_of};
use super::window::{Found, Window};
use crate::error::BuildError;
use crate::outcome::Failure;
use crate::plan::{Means, Plan, Planned};
use crate::settings::Settings;
use crate::watch::{BuildEvent, Watcher};

/// Things that are named when all of them together have no answer.
const SHOWN: usize = 5;

/// What was asked for, sorted by what became of it.
#[derive(Default)]
struct Asked {
    roots: Vec<Root>,
    /// The first place of each project.
    places: BTreeMap<PackageName, usize>,
    settled: BTreeMap<PackageName, (usize, Settled)>,
    urls: BTreeMap<PackageName, String>,
    failures: Vec<(usize, Failure)>,
    notes: Vec<String>,
}

/// Resolves everything that is wanted together. A source is built only where nothing else tells what it
/// requires; that wheel is kept. Something wanted that can not be had by itself is a failure of the plan, beside the
/// rest. Call it within a tokio runtime; dropping the future ends every worker.
///
/// # Errors
/// If the requirements contradict each other, with each of them and where it comes from; if an index fails.
pub async fn plan(
    settings: Arc<Settings>,
    wanted: Vec<Wanted>,
    watcher: Arc<dyn Watcher>,
) -> Result<Plan, Failure> {
    let pipeline = Pipeline::new(settings.matched_by_locks(&wanted), watcher);
    let about = about(&wanted);
    pipeline.say(BuildEvent::Planning {
        label: about.clone(),
    });
    let outcome = pipeline.plan(&wanted).await;
    outcome.map_err(|error| pipeline.failure(&about, &error))
}

/// What people would call all of it.
fn about(wanted: &[Wanted]) -> String {
    let labels: Vec<_> = wanted.iter().map(|one| one.spec.to_string()).collect();
    match labels.len().checked_sub(SHOWN) {
        None | Some(0) => labels.join(", "),
        Some(more) => format!("{} and {more} more", labels[..SHOWN].join(", ")),
    }
}

impl Pipeline {
    async fn plan(&self, wanted: &[Wanted]) -> Result<Plan, BuildError> {
        let ready = abreast(wanted.iter().map(|one| self.settle(one))).await;
        let asked = self.sorted(wanted, ready)?;
        let settings = &self.settings;
        let (places, settled): (BTreeMap<_, _>, BTreeMap<_, _>) = asked
            .settled
            .into_iter()
            .map(|(name, (at, settled))| ((name.clone(), at), (name, settled)))
            .unzip();
        let window = Arc::new(Window {
            pipeline: self.clone(),
            settled,
            found: Mutex::default(),
        });
        let question = Question {
            roots: &asked.roots,
            constraints: &settings.constraints,
            markers: &settings.facts.markers,
            python: &python_version(&settings.facts),
            pre: settings.pre,
            prefer_binary: settings.prefer_binary,
            urls: asked.urls,
        };
        let Resolution(chosen) = resolve(&question, Arc::clone(&window) as _)
            .await
            .map_err(BuildError::Requirements)?;
        let mut plan = Plan {
            projects: Vec::new(),
            left_out: BTreeMap::new(),
            failures: asked.failures,
            notes: asked.notes,
            environments: Arc::clone(&self.environments),
            turns: Arc::clone(&self.turns),
            told: Arc::clone(&self.told),
            built: Arc::clone(&self.built),
        };
        for (name, chosen) in chosen {
            for extra in &chosen.unknown_extras {
                plan.notes.push(format!(
                    "{name} {} does not have the extra `{extra}`",
                    chosen.candidate.version
                ));
            }
            let at = asked.places.get(&name).copied();
            let spec = places.get(&name).map(|at| &wanted[*at].spec);
            let label = match at {
                Some(at) => wanted[at].spec.to_string(),
                None => format!("{name} {}", chosen.candidate.version),
            };
            let planned = self.planned(name, chosen, &window, label);
            plan.projects.push(Planned {
                asked: at,
                spec: spec.filter(|spec| !matches!(spec, Spec::Named(_))).cloned(),
                ..planned
            });
        }
        self.match_runtime(&mut plan).await;
        plan.projects
            .sort_by_key(|planned| (planned.asked.unwrap_or(usize::MAX), planned.name.clone()));
        Ok(plan)
    }

    /// Looks again at what is built with versions that are known only now: it has another key.
    async fn match_runtime(&self, plan: &mut Plan) {
        let wanted = &self.settings.match_runtime;
        if wanted.wanted.is_empty() {
            return;
        }
        let pipeline = Self {
            settings: Arc::new(self.settings.matched(&plan.versions())),
            ..self.clone()
        };
        let meant = plan.projects.iter_mut();
        for planned in meant.filter(|one| wanted.speaks_of(&one.name)) {
            let Means::Source(source) = &planned.means else {
                continue;
            };
            let expectation = Expectation {
                name: Some(planned.name.clone()),
                version: Some(planned.version.clone()),
            };
            let means = async {
                // What it says is served under this key too, so that the wheel has to agree.
                pipeline.describe(source, &expectation).await?;
                pipeline.means_of(source, &expectation).await
            };
            planned.means = means.await.unwrap_or_else(|error| {
                Means::Broken(Box::new(self.failure(&planned.label, &error)))
            });
        }
    }

    /// Sorts what was asked for by what became of it.
    fn sorted(
        &self,
        wanted: &[Wanted],
        ready: Vec<Result<Option<Ready>, BuildError>>,
    ) -> Result<Asked, BuildError> {
        let mut asked = Asked::default();
        for (at, (one, ready)) in wanted.iter().zip(ready).enumerate() {
            let Ready {
                requirement,
                settled,
            } = match ready {
                Ok(Some(ready)) => ready,
                Ok(None) => {
                    let text = format!(
                        "`{}` is left out: its marker does not hold for this Python",
                        one.spec
                    );
                    asked.notes.push(text);
                    continue;
                }
                Err(error) => {
                    let failure = self.failure(&one.spec.to_string(), &error);
                    asked.failures.push((at, failure));
                    continue;
                }
            };
            let name = requirement.name.clone();
            if let Some(settled) = settled {
                if let Some((first, known)) = asked.settled.get(&name) {
                    if known.means.is_other(&settled.means) {
                        let specs = [&wanted[*first].spec, &one.spec];
                        return Err(BuildError::Requirements(rivals(&name, specs)));
                    }
                } else {
                    asked.settled.insert(name.clone(), (at, settled));
                }
                if let Some(url) = url_of(&one.spec) {
                    asked.urls.insert(name.clone(), url);
                }
            }
            asked.places.entry(name).or_insert(at);
            asked.roots.push(Root {
                requirement,
                origin: one.origin.clone(),
            });
        }
        Ok(asked)
    }

    fn planned(
        &self,
        name: PackageName,
        chosen: Chosen,
        window: &Window,
        label: String,
    ) -> Planned {
        let Chosen {
            candidate,
            extras,
            because,
            ..
        } = chosen;
        let version = candidate.version.clone();
        let mut commit = None;
        let (means, requires) = match window.settled.get(&name) {
            Some(settled) => {
                commit.clone_from(&settled.commit);
                (settled.means.clone(), settled.metadata.requires.clone())
            }
            None => {
                let found = window.found(&name, &version);
                let requires = found.metadata.requires.clone();
                let means = match (found.error, found.means, candidate.wheel) {
                    (Some(error), ..) => Means::Broken(Box::new(self.failure(&label, &error))),
                    (None, Some(means), _) => means,
                    (None, None, Some(wheel)) => Means::Wheel(Box::new(wheel)),
                    (None, None, None) => {
                        let error = BuildError::Task {
                            doing: "plan a project",
                        };
                        Means::Broken(Box::new(self.failure(&label, &error)))
                    }
                };
                (means, requires)
            }
        };
        Planned {
            name,
            version,
            extras: extras.into_iter().collect(),
            requires,
            because,
            asked: None,
            spec: None,
            label,
            commit,
            means,
        }
    }
}

impl Window {
    fn found(&self, name: &PackageName, version: &model::Version) -> Found {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (name.clone(), version.clone());
        found.get(&key).cloned().unwrap_or_default()
    }
}
