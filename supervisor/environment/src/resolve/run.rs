//! The way in: starts the solver on a thread of its own, makes another run when needed, and turns
//! its end into an answer.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use index::Candidate;
use model::{ExtraName, MarkerEnvironment, PackageName, Requirement, Version};
use pep508_rs::VersionOrUrl;
use pubgrub::{PubGrubError, SelectedDependencies};

use super::package::Package;
use super::projects::{Projects, Rules};
use super::solver::{Allowed, Solver, Stop, Wants, root_version};
use super::{Provider, ProviderError, Question, ResolveError, Root, explain, range};

/// The most steps of the solver, all runs together.
pub const MAX_STEPS: u64 = 50_000;
/// The most projects that are looked at.
pub const MAX_PROJECTS: usize = 2_000;
/// The most runs: each but the first because requirements allowed more than was known before.
const MAX_RUNS: usize = 20;
/// The solver's stack, in bytes: what it derives is a deep tree if packages want it so.
const STACK: usize = 64 * 1024 * 1024;

/// One version of each project that is needed.
#[derive(Clone, Debug, Default)]
pub struct Resolution(pub BTreeMap<PackageName, Chosen>);

/// The version of a project that was chosen.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// The version and its files.
    pub candidate: Candidate,
    /// The extras that are wanted of it.
    pub extras: BTreeSet<ExtraName>,
    /// Wanted extras that it says it does not have.
    pub unknown_extras: BTreeSet<ExtraName>,
    /// Which requirements led to it.
    pub because: Vec<Because>,
}

/// A requirement that led to a project.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Because {
    /// The project and version that require it; none for what was asked for.
    pub by: Option<(PackageName, Version)>,
    /// The requirement without its marker; for what was asked for, a sentence.
    pub words: String,
}

struct Task {
    roots: Vec<Root>,
    rules: Rules,
    markers: MarkerEnvironment,
    provider: Arc<dyn Provider>,
    runtime: tokio::runtime::Handle,
    cancelled: Arc<AtomicBool>,
}

/// Tells the solver's thread that nobody waits for it any more.
struct CancelOnDrop(Arc<AtomicBool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Returns versions that satisfy the roots and everything they require, the newest that fit.
///
/// Requirements whose marker does not hold are left out. Constraints only narrow. Pre-releases are
/// taken where the question says so, a requirement names one or nothing final satisfies it, yanked
/// versions only where they are pinned. Call it within a tokio runtime.
///
/// # Errors
/// If there is no such set, with the facts that contradict each other; if a requirement is a URL;
/// if the provider fails; if it takes more than [`MAX_STEPS`] or [`MAX_PROJECTS`].
pub async fn resolve(
    question: &Question<'_>,
    provider: Arc<dyn Provider>,
) -> Result<Resolution, ResolveError> {
    let cancelled = Arc::new(AtomicBool::new(false));
    let guard = CancelOnDrop(Arc::clone(&cancelled));
    let markers = question.markers;
    let task = Task {
        roots: checked_roots(question.roots, markers)?,
        rules: Rules {
            python: question.python.clone(),
            pre: question.pre,
            prefer_binary: question.prefer_binary,
            urls: question.urls.clone(),
            constraints: checked_constraints(question.constraints, markers)?,
        },
        markers: markers.clone(),
        provider,
        runtime: tokio::runtime::Handle::current(),
        cancelled,
    };
    let (tell, told) = tokio::sync::oneshot::channel();
    std::thread::Builder::new()
        .name("resolver".to_owned())
        .stack_size(STACK)
        .spawn(move || {
            // The receiver is gone only if the caller is.
            let _ = tell.send(task.run());
        })
        .map_err(|_| ResolveError::Crashed)?;
    let answer = told.await.map_err(|_| ResolveError::Crashed)?;
    drop(guard);
    answer
}

fn checked_roots(roots: &[Root], markers: &MarkerEnvironment) -> Result<Vec<Root>, ResolveError> {
    let roots = roots
        .iter()
        .filter(|root| root.requirement.evaluate_markers(markers, &[]));
    roots
        .map(|root| match &root.requirement.version_or_url {
            Some(VersionOrUrl::Url(_)) => Err(ResolveError::Url {
                requirement: root.requirement.name.to_string(),
            }),
            Some(VersionOrUrl::VersionSpecifier(specifiers)) if range::of(specifiers).is_err() => {
                Err(ResolveError::Number {
                    requirement: root.requirement.to_string(),
                })
            }
            _ => Ok(root.clone()),
        })
        .collect()
}

type Constraints = BTreeMap<PackageName, Vec<(model::VersionSpecifiers, String)>>;

fn checked_constraints(
    constraints: &[Requirement],
    markers: &MarkerEnvironment,
) -> Result<Constraints, ResolveError> {
    let mut known = Constraints::new();
    for constraint in constraints {
        if !constraint.evaluate_markers(markers, &[]) {
            continue;
        }
        let refused = || ResolveError::Constraint {
            constraint: constraint.name.to_string(),
        };
        match &constraint.version_or_url {
            _ if !constraint.extras.is_empty() => return Err(refused()),
            Some(VersionOrUrl::Url(_)) => return Err(refused()),
            Some(VersionOrUrl::VersionSpecifier(specifiers)) => {
                range::of(specifiers).map_err(|range::TooLarge| refused())?;
                known.entry(constraint.name.clone()).or_default().push((
                    specifiers.clone(),
                    format!("{}{specifiers}", constraint.name),
                ));
            }
            None => {}
        }
    }
    Ok(known)
}

impl Task {
    fn run(self) -> Result<Resolution, ResolveError> {
        let projects = Projects::new(&*self.provider, &self.runtime, self.rules);
        let steps = Cell::new(0);
        let allowed = RefCell::new(Allowed::default());
        let wants = RefCell::new(Wants::new());
        for run in 0..MAX_RUNS {
            let solver = Solver {
                projects: &projects,
                roots: &self.roots,
                markers: &self.markers,
                cancelled: &self.cancelled,
                steps: &steps,
                allowed: &allowed,
                wants: &wants,
                order: RefCell::new(HashMap::new()),
            };
            if run == 0 {
                for (name, all) in &projects.rules().constraints {
                    for (specifiers, _) in all {
                        solver.allow_named(name, specifiers);
                    }
                }
            }
            let before = allowed.borrow().clone();
            let too_big = || ResolveError::TooBig {
                steps: steps.get(),
                projects: projects.count(),
            };
            match pubgrub::resolve(&solver, Package::Root, root_version()) {
                Ok(selected) => return collect(&projects, &selected, &wants.borrow()),
                Err(PubGrubError::NoSolution(tree)) => {
                    if *allowed.borrow() != before {
                        continue;
                    }
                    return Err(explain::no_solution(&tree, &solver));
                }
                Err(
                    PubGrubError::ErrorRetrievingDependencies { source, .. }
                    | PubGrubError::ErrorChoosingVersion { source, .. }
                    | PubGrubError::ErrorInShouldCancel(source),
                ) => return Err(stopped(source, too_big)),
            }
        }
        Err(ResolveError::TooBig {
            steps: steps.get(),
            projects: projects.count(),
        })
    }
}

fn stopped(stop: Stop, too_big: impl Fn() -> ResolveError) -> ResolveError {
    match stop {
        Stop::Cancelled => ResolveError::Cancelled,
        Stop::TooBig => too_big(),
        Stop::Provider {
            project,
            version,
            source,
        } => {
            let code = match source.as_ref() {
                ProviderError::Failed { code, .. } => *code,
                ProviderError::Unknown { .. } => model::Code::UnknownProject,
                ProviderError::Excluded { .. } => model::Code::NoVersion,
            };
            ResolveError::Provider {
                project,
                version,
                code,
                source,
            }
        }
    }
}

fn collect(
    projects: &Projects<'_>,
    selected: &SelectedDependencies<Package, Version>,
    wants: &Wants,
) -> Result<Resolution, ResolveError> {
    let mut resolution = Resolution::default();
    for (package, version) in selected.iter() {
        let Package::Project(name) = package else {
            continue;
        };
        let project = projects.project(name).map_err(|_| ResolveError::Crashed)?;
        let candidate = project.candidate(version).ok_or(ResolveError::Crashed)?;
        let chosen = Chosen {
            candidate: candidate.clone(),
            extras: BTreeSet::new(),
            unknown_extras: BTreeSet::new(),
            because: Vec::new(),
        };
        resolution.0.insert(name.clone(), chosen);
    }
    for (package, version) in selected.iter() {
        if let Package::Extra(name, extra) = package
            && let Some(chosen) = resolution.0.get_mut(name)
        {
            let metadata = projects.metadata(name, &chosen.candidate);
            if metadata.is_ok_and(|metadata| !metadata.extras.contains(extra)) {
                chosen.unknown_extras.insert(extra.clone());
            }
            chosen.extras.insert(extra.clone());
        }
        let by = package.name().map(|name| (name.clone(), version.clone()));
        let wanted = wants.get(&(package.clone(), version.clone()));
        for (wanted, all) in wanted.into_iter().flatten() {
            let chosen = wanted
                .name()
                .and_then(|name| resolution.0.get_mut(name))
                .ok_or(ResolveError::Crashed)?;
            for words in all {
                let because = Because {
                    by: by.clone(),
                    words: words.clone(),
                };
                if !chosen.because.contains(&because) {
                    chosen.because.push(because);
                }
            }
        }
    }
    for chosen in resolution.0.values_mut() {
        chosen.because.sort();
    }
    Ok(resolution)
}
