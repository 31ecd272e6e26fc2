//! What is known of each project so far: its usable versions, the others with the reason, and what
//! versions require. Asked once, remembered, and asked for ahead of need.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use futures::StreamExt;
use index::Candidate;
use model::{PackageName, Version, VersionSpecifiers};

use super::range::{self, Range};
use super::{Metadata, Provider, ProviderError};

/// How many questions are under way at once.
const PARALLEL: usize = 12;
/// The most rejected versions that are remembered for an explanation, a project.
const MAX_REJECTED: usize = 200;

/// One project, judged against the interpreter and the constraints.
#[derive(Debug)]
pub(super) struct Project {
    /// Usable versions: the preferred one, then the best first: the newest, or the newest with a wheel.
    pub(super) usable: Vec<Candidate>,
    /// The others, newest first, and why.
    pub(super) rejected: Vec<(Version, String)>,
    /// Why there is nothing at all.
    pub(super) missing: Option<Missing>,
}

/// Why a project has no versions at all.
#[derive(Clone, Debug)]
pub(super) enum Missing {
    Unknown(String),
    Excluded(String),
}

impl Project {
    /// Returns the candidate of a version.
    pub(super) fn candidate(&self, version: &Version) -> Option<&Candidate> {
        self.usable.iter().find(|one| one.version == *version)
    }
}

/// What narrows every project alike.
#[derive(Debug)]
pub(super) struct Rules {
    /// The interpreter's version.
    pub(super) python: Version,
    /// Whether pre-releases are as good as releases.
    pub(super) pre: bool,
    /// Whether an older version with a wheel comes before a newer one without.
    pub(super) prefer_binary: bool,
    /// Projects that a URL has settled.
    pub(super) urls: BTreeMap<PackageName, String>,
    /// Constraints: the specifiers, and the text for people.
    pub(super) constraints: BTreeMap<PackageName, Vec<(VersionSpecifiers, String)>>,
}

pub(super) type Answer<T> = Result<Rc<T>, Arc<ProviderError>>;

/// The memory, and the way to ask.
pub(super) struct Projects<'a> {
    provider: &'a dyn Provider,
    runtime: &'a tokio::runtime::Handle,
    rules: Rules,
    known: RefCell<HashMap<PackageName, Answer<Project>>>,
    metadata: RefCell<HashMap<(PackageName, Version), Answer<Metadata>>>,
    asked: Cell<u64>,
}

impl std::fmt::Debug for Projects<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Projects")
            .field("known", &self.known.borrow().len())
            .finish_non_exhaustive()
    }
}

impl<'a> Projects<'a> {
    pub(super) fn new(
        provider: &'a dyn Provider,
        runtime: &'a tokio::runtime::Handle,
        rules: Rules,
    ) -> Self {
        Self {
            provider,
            runtime,
            rules,
            known: RefCell::default(),
            metadata: RefCell::default(),
            asked: Cell::new(0),
        }
    }

    pub(super) fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Whether nothing is known yet of what a version requires, and asking costs much.
    pub(super) fn is_dear(&self, name: &PackageName, candidate: &Candidate) -> bool {
        !self.provider.is_cheap(candidate)
            && !self
                .metadata
                .borrow()
                .contains_key(&(name.clone(), candidate.version.clone()))
    }

    /// Returns the one place where a project is looked for, in words.
    pub(super) fn place(&self, name: &PackageName) -> Option<String> {
        self.provider.place(name)
    }

    /// Returns how many projects were looked at.
    pub(super) fn count(&self) -> usize {
        self.known.borrow().len()
    }

    /// Returns a project, asking for it if need be.
    pub(super) fn project(&self, name: &PackageName) -> Answer<Project> {
        if let Some(known) = self.known.borrow().get(name) {
            return known.clone();
        }
        self.learn(std::slice::from_ref(name));
        match self.known.borrow().get(name) {
            Some(known) => known.clone(),
            None => Err(Arc::new(ProviderError::Excluded {
                reason: "nothing was answered about it".to_owned(),
            })),
        }
    }

    /// Returns what a version requires, asking if need be.
    pub(super) fn metadata(&self, name: &PackageName, candidate: &Candidate) -> Answer<Metadata> {
        let key = (name.clone(), candidate.version.clone());
        if let Some(known) = self.metadata.borrow().get(&key) {
            return known.clone();
        }
        let answer = self
            .runtime
            .block_on(self.provider.metadata(name, candidate))
            .map(Rc::new)
            .map_err(Arc::new);
        self.metadata.borrow_mut().insert(key, answer.clone());
        answer
    }

    /// Asks for all projects of which nothing is known yet, many at once.
    pub(super) fn learn(&self, names: &[PackageName]) {
        let mut new: Vec<_> = {
            let known = self.known.borrow();
            names
                .iter()
                .filter(|name| !known.contains_key(*name))
                .collect()
        };
        new.sort();
        new.dedup();
        if new.is_empty() {
            return;
        }
        self.asked.set(self.asked.get() + new.len() as u64);
        let answers: Vec<_> = self.runtime.block_on(
            futures::stream::iter(new)
                .map(|name| async move { (name, self.provider.candidates(name).await) })
                .buffer_unordered(PARALLEL)
                .collect(),
        );
        for (name, answer) in answers {
            let project = match answer {
                Ok(candidates) => Ok(Rc::new(self.judge(name, candidates))),
                Err(ProviderError::Unknown { reason }) => {
                    Ok(Rc::new(Project::none(Missing::Unknown(reason))))
                }
                Err(ProviderError::Excluded { reason }) => {
                    Ok(Rc::new(Project::none(Missing::Excluded(reason))))
                }
                Err(failed) => Err(Arc::new(failed)),
            };
            self.known.borrow_mut().insert(name.clone(), project);
        }
    }

    /// Asks ahead for the metadata of versions where that is cheap, many at once. Only speed: a
    /// failure is remembered and counts when the version is really wanted.
    pub(super) fn learn_metadata(&self, wanted: &[(PackageName, Candidate)]) {
        let mut new: Vec<_> = {
            let known = self.metadata.borrow();
            wanted
                .iter()
                .filter(|(name, candidate)| {
                    self.provider.is_cheap(candidate)
                        && !known.contains_key(&(name.clone(), candidate.version.clone()))
                })
                .collect()
        };
        // A project and its extras are wanted at the same version.
        new.sort_by_key(|(name, candidate)| (name, &candidate.version));
        new.dedup_by(|(a, left), (b, right)| a == b && left.version == right.version);
        if new.len() < 2 {
            return;
        }
        let answers: Vec<_> = self.runtime.block_on(
            futures::stream::iter(new)
                .map(|(name, candidate)| async move {
                    (
                        name,
                        candidate,
                        self.provider.metadata(name, candidate).await,
                    )
                })
                .buffer_unordered(PARALLEL)
                .collect(),
        );
        let mut known = self.metadata.borrow_mut();
        for (name, candidate, answer) in answers {
            known
                .entry((name.clone(), candidate.version.clone()))
                .or_insert(answer.map(Rc::new).map_err(Arc::new));
        }
    }

    fn judge(&self, name: &PackageName, mut candidates: Vec<Candidate>) -> Project {
        candidates.sort_by(|a, b| b.version.cmp(&a.version));
        candidates.dedup_by(|later, earlier| later.version == earlier.version);
        let mut project = Project {
            usable: Vec::new(),
            rejected: Vec::new(),
            missing: None,
        };
        let preferred = self.provider.preferred(name);
        let is_preferred = |one: &Candidate| Some(&one.version) == preferred.as_ref();
        candidates.sort_by_key(|one| !is_preferred(one));
        for candidate in candidates {
            match self.rejection(name, &candidate, is_preferred(&candidate)) {
                None => project.usable.push(candidate),
                Some(reason) if project.rejected.len() < MAX_REJECTED => {
                    project.rejected.push((candidate.version, reason));
                }
                Some(_) => {}
            }
        }
        if self.rules.prefer_binary {
            let rank = |one: &Candidate| (!is_preferred(one), one.wheel.is_none());
            project.usable.sort_by_key(rank);
        }
        project
    }

    /// Returns why a version is out of the question whoever asks for it.
    fn rejection(
        &self,
        name: &PackageName,
        candidate: &Candidate,
        is_preferred: bool,
    ) -> Option<String> {
        if let Some(constraints) = self.rules.constraints.get(name) {
            for (specifiers, text) in constraints {
                let allowed =
                    range::of(specifiers).is_ok_and(|range| range.contains(&candidate.version));
                if !allowed {
                    return Some(format!("the constraint `{text}` excludes it"));
                }
            }
        }
        let file = candidate.wheel.as_ref().or(candidate.sdist.as_ref());
        let Some(file) = file else {
            if is_preferred {
                return None;
            }
            return Some("it has no file that fits this interpreter and may be used".to_owned());
        };
        self.python_rejection(file.requires_python.as_ref())
    }

    /// Returns why the interpreter is not one that `requires_python` wants.
    pub(super) fn python_rejection(&self, requires: Option<&VersionSpecifiers>) -> Option<String> {
        let requires = requires?;
        // Pre-releases of Python count as their release, as pip sees it.
        let python = self.rules.python.only_release();
        (!requires.contains(&python))
            .then(|| format!("it needs Python {requires}, this is {python}"))
    }
}

impl Project {
    fn none(missing: Missing) -> Self {
        Self {
            usable: Vec::new(),
            rejected: Vec::new(),
            missing: Some(missing),
        }
    }

    /// Returns the newest final version in `range`, or the newest at all.
    pub(super) fn likely(&self, range: &Range) -> Option<&Candidate> {
        let inside = || {
            self.usable
                .iter()
                .filter(|one| range.contains(&one.version))
        };
        inside()
            .find(|one| !one.version.any_prerelease())
            .or_else(|| inside().next())
    }
}

/// Whether every file of a version is yanked (PEP 592).
pub(super) fn is_yanked(candidate: &Candidate) -> bool {
    let files = [&candidate.wheel, &candidate.sdist];
    let mut files = files.into_iter().flatten().peekable();
    // One without files is installed.
    files.peek().is_some() && files.all(|file| file.yanked.is_some())
}
