//! The answers to pubgrub's questions: which version next, and what does it depend on.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use index::Candidate;
use model::{MarkerEnvironment, PackageName, Requirement, Version, VersionSpecifiers};
use pep508_rs::VersionOrUrl;
use pubgrub::{
    Dependencies, DependencyConstraints, DependencyProvider, PackageResolutionStatistics,
};

use super::package::Package;
use super::projects::{Project, Projects, is_yanked};
use super::range::{self, Range};
use super::{MAX_PROJECTS, MAX_STEPS, ProviderError, Root};

/// Why the solver stops before it has an answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stop {
    #[error("nobody waits for the answer any more")]
    Cancelled,
    #[error("too many steps or projects")]
    TooBig,
    #[error("a question about {project} was not answered")]
    Provider {
        project: PackageName,
        version: Option<Version>,
        source: Arc<ProviderError>,
    },
}

/// What requirements allow beyond final versions that are not yanked. It only grows, and outlives
/// a run: when it grew too late for a run that found nothing, another run is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Allowed {
    prereleases: BTreeSet<PackageName>,
    pinned: BTreeSet<(PackageName, Version)>,
}

/// What each version wants of each package, in the words of its requirements.
pub(super) type Wants = HashMap<(Package, Version), BTreeMap<Package, Vec<String>>>;

/// One run.
#[derive(Debug)]
pub(super) struct Solver<'a> {
    pub(super) projects: &'a Projects<'a>,
    pub(super) roots: &'a [Root],
    pub(super) markers: &'a MarkerEnvironment,
    pub(super) cancelled: &'a AtomicBool,
    pub(super) steps: &'a Cell<u64>,
    pub(super) allowed: &'a RefCell<Allowed>,
    pub(super) wants: &'a RefCell<Wants>,
    /// The order in which packages came up, for a stable order of decisions.
    pub(super) order: RefCell<HashMap<Package, usize>>,
}

/// Dependencies with their ranges, and the words they come from.
#[derive(Default)]
struct Needs {
    ranges: BTreeMap<Package, Range>,
    words: BTreeMap<Package, Vec<String>>,
    asked: Vec<(PackageName, VersionSpecifiers)>,
}

/// The only version of the root.
pub(super) fn root_version() -> Version {
    Version::new([0])
}

impl Needs {
    /// Adds a requirement; the error says why what requires it can not be used.
    fn add(
        &mut self,
        requirement: &Requirement,
        words: String,
        urls: &BTreeMap<PackageName, String>,
    ) -> Result<(), String> {
        let specifiers = match &requirement.version_or_url {
            None => VersionSpecifiers::empty(),
            Some(VersionOrUrl::VersionSpecifier(specifiers)) => specifiers.clone(),
            Some(VersionOrUrl::Url(url))
                if urls.get(&requirement.name) == Some(&url.to_string()) =>
            {
                VersionSpecifiers::empty()
            }
            Some(VersionOrUrl::Url(_)) => {
                return Err(format!(
                    "it requires {} from a URL, and packages may not name URLs unless the same is asked for",
                    requirement.name
                ));
            }
        };
        let range = range::of(&specifiers).map_err(|range::TooLarge| {
            format!(
                "its requirement on {} holds a number that no version has",
                requirement.name
            )
        })?;
        self.insert(
            Package::Project(requirement.name.clone()),
            &range,
            Some(&words),
        );
        for extra in &requirement.extras {
            let package = Package::Extra(requirement.name.clone(), extra.clone());
            self.insert(package, &range, Some(&words));
        }
        self.asked.push((requirement.name.clone(), specifiers));
        Ok(())
    }

    fn insert(&mut self, package: Package, range: &Range, words: Option<&str>) {
        if let Some(words) = words {
            let all = self.words.entry(package.clone()).or_default();
            if !all.iter().any(|known| known == words) {
                all.push(words.to_owned());
            }
        }
        self.ranges
            .entry(package)
            .and_modify(|known| *known = known.intersection(range))
            .or_insert_with(|| range.clone());
    }
}

/// Returns a requirement as its writer would know it, without the marker.
fn words_of(requirement: &Requirement) -> String {
    let mut bare = requirement.clone();
    bare.marker = pep508_rs::MarkerTree::TRUE;
    bare.to_string()
}

impl Solver<'_> {
    fn urls(&self) -> &BTreeMap<PackageName, String> {
        &self.projects.rules().urls
    }

    pub(super) fn project(&self, name: &PackageName) -> Result<std::rc::Rc<Project>, Stop> {
        self.projects
            .project(name)
            .map_err(|source| Stop::Provider {
                project: name.clone(),
                version: None,
                source,
            })
    }

    /// Whether a version may be taken at all, given what requirements allow so far.
    pub(super) fn is_allowed(
        &self,
        name: &PackageName,
        project: &Project,
        one: &Candidate,
    ) -> bool {
        let allowed = self.allowed.borrow();
        let pinned = || {
            let public = one.version.clone().without_local();
            allowed
                .pinned
                .contains(&(name.clone(), one.version.clone()))
                || allowed.pinned.contains(&(name.clone(), public))
        };
        if is_yanked(one) && !pinned() {
            return false;
        }
        !one.version.any_prerelease()
            || self.projects.rules().pre
            || allowed.prereleases.contains(name)
            || project
                .usable
                .iter()
                .all(|one| one.version.any_prerelease())
    }

    /// Notes what a requirement allows: pre-releases if it names one or nothing final satisfies
    /// it, a yanked version if it is pinned.
    pub(super) fn allow(&self, name: &PackageName, specifiers: &VersionSpecifiers) {
        self.allow_named(name, specifiers);
        if self.only_prereleases(name, specifiers) {
            self.allowed.borrow_mut().prereleases.insert(name.clone());
        }
    }

    /// Notes what a constraint allows: it wants nothing by itself, so only what it names.
    pub(super) fn allow_named(&self, name: &PackageName, specifiers: &VersionSpecifiers) {
        let mut allowed = self.allowed.borrow_mut();
        if let Some(version) = range::pinned(specifiers) {
            allowed.pinned.insert((name.clone(), version.clone()));
        }
        if range::names_prerelease(specifiers) {
            allowed.prereleases.insert(name.clone());
        }
    }

    fn only_prereleases(&self, name: &PackageName, specifiers: &VersionSpecifiers) -> bool {
        let (Ok(project), Ok(range)) = (self.projects.project(name), range::of(specifiers)) else {
            return false;
        };
        let mut inside = project
            .usable
            .iter()
            .filter(|one| range.contains(&one.version))
            .peekable();
        inside.peek().is_some() && inside.all(|one| one.version.any_prerelease())
    }

    /// Returns what a version needs, or why it can not be used.
    fn needs(&self, package: &Package, version: &Version) -> Result<Result<Needs, String>, Stop> {
        let mut needs = Needs::default();
        let (name, extra) = match package {
            Package::Root => {
                for Root {
                    requirement,
                    origin,
                } in self.roots
                {
                    let bare = words_of(requirement);
                    let words = match origin.as_str() {
                        "" => format!("`{bare}` is asked for"),
                        origin => format!("`{bare}` is asked for {origin}"),
                    };
                    if let Err(reason) = needs.add(requirement, words, self.urls()) {
                        return Ok(Err(reason));
                    }
                }
                return Ok(Ok(needs));
            }
            Package::Project(name) => (name, None),
            Package::Extra(name, extra) => (name, Some(extra)),
        };
        let project = self.project(name)?;
        let Some(candidate) = project.candidate(version) else {
            return Ok(Err("it vanished from the index".to_owned()));
        };
        let metadata = match self.projects.metadata(name, candidate) {
            Ok(metadata) => metadata,
            Err(source) => {
                return match source.as_ref() {
                    ProviderError::Unknown { reason } | ProviderError::Excluded { reason } => {
                        Ok(Err(reason.clone()))
                    }
                    ProviderError::Failed { .. } => Err(Stop::Provider {
                        project: name.clone(),
                        version: Some(version.clone()),
                        source,
                    }),
                };
            }
        };
        if let Some(reason) = self
            .projects
            .python_rejection(metadata.requires_python.as_ref())
        {
            return Ok(Err(reason));
        }
        if extra.is_some() {
            let own = Package::Project(name.clone());
            needs.insert(own, &Range::singleton(version.clone()), None);
        }
        for requirement in &metadata.requires {
            if self.applies(requirement, extra)
                && let Err(reason) = needs.add(requirement, words_of(requirement), self.urls())
            {
                return Ok(Err(reason));
            }
        }
        Ok(Ok(needs))
    }

    /// Whether a requirement is in force: for the project by itself, or because of its extra.
    fn applies(&self, requirement: &Requirement, extra: Option<&model::ExtraName>) -> bool {
        let without = requirement.evaluate_markers(self.markers, &[]);
        match extra {
            None => without,
            Some(extra) => {
                !without && requirement.evaluate_markers(self.markers, std::slice::from_ref(extra))
            }
        }
    }

    /// Asks ahead about everything a version needs, notes what that allows.
    fn look_ahead(&self, needs: &Needs) -> Result<(), Stop> {
        let names: Vec<_> = needs.asked.iter().map(|(name, _)| name.clone()).collect();
        if self.projects.count() + names.len() > MAX_PROJECTS {
            return Err(Stop::TooBig);
        }
        self.projects.learn(&names);
        for (name, specifiers) in &needs.asked {
            self.allow(name, specifiers);
        }
        let likely: Vec<_> = needs
            .ranges
            .iter()
            .filter_map(|(package, range)| {
                let name = package.name()?;
                let project = self.projects.project(name).ok()?;
                Some((name.clone(), project.likely(range)?.clone()))
            })
            .collect();
        self.projects.learn_metadata(&likely);
        let mut order = self.order.borrow_mut();
        for package in needs.ranges.keys() {
            let next = order.len();
            order.entry(package.clone()).or_insert(next);
        }
        Ok(())
    }
}

impl DependencyProvider for Solver<'_> {
    type P = Package;
    type V = Version;
    type VS = Range;
    type M = String;
    type Err = Stop;
    /// Packages in the way of others first, then those with no choice, then those whose metadata is cheap, then
    /// as they came up: what was asked for before what that needs.
    type Priority = (u32, bool, bool, Reverse<usize>);

    fn prioritize(
        &self,
        package: &Package,
        range: &Range,
        conflicts: &PackageResolutionStatistics,
    ) -> Self::Priority {
        let order = self.order.borrow().get(package).copied().unwrap_or(0);
        let known = package
            .name()
            .and_then(|name| Some((name, self.projects.project(name).ok()?)));
        let (choices, is_dear) = known.map_or((1, false), |(name, project)| {
            let inside = project
                .usable
                .iter()
                .filter(|one| range.contains(&one.version));
            let likely = project.likely(range);
            let is_dear = likely.is_some_and(|likely| self.projects.is_dear(name, likely));
            (inside.take(2).count(), is_dear)
        });
        (
            conflicts.conflict_count(),
            choices < 2,
            !is_dear,
            Reverse(order),
        )
    }

    fn choose_version(&self, package: &Package, range: &Range) -> Result<Option<Version>, Stop> {
        let Some(name) = package.name() else {
            return Ok(Some(root_version()));
        };
        let project = self.project(name)?;
        Ok(project
            .usable
            .iter()
            .filter(|one| range.contains(&one.version))
            .find(|one| self.is_allowed(name, &project, one))
            .map(|one| one.version.clone()))
    }

    fn get_dependencies(
        &self,
        package: &Package,
        version: &Version,
    ) -> Result<Dependencies<Package, Range, String>, Stop> {
        let mut needs = match self.needs(package, version)? {
            Ok(needs) => needs,
            Err(reason) => return Ok(Dependencies::Unavailable(reason)),
        };
        // pubgrub leaves a dependency on oneself to us: it holds or it does not.
        if let Some(own) = needs.ranges.remove(package)
            && !own.contains(version)
        {
            return Ok(Dependencies::Unavailable(
                "it requires another version of itself".to_owned(),
            ));
        }
        self.look_ahead(&needs)?;
        self.wants
            .borrow_mut()
            .insert((package.clone(), version.clone()), needs.words);
        let dependencies: DependencyConstraints<_, _> = needs.ranges.into_iter().collect();
        Ok(Dependencies::Available(dependencies))
    }

    fn should_cancel(&self) -> Result<(), Stop> {
        self.steps.set(self.steps.get() + 1);
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(Stop::Cancelled);
        }
        if self.steps.get() > MAX_STEPS {
            return Err(Stop::TooBig);
        }
        Ok(())
    }
}
