//! Cleaning: what was asked for goes, whether it is of use or not.

use std::collections::{BTreeMap, BTreeSet};

use model::{PackageName, Sha256};

use super::{Plan, Reason};
use crate::{Inventory, Item, Pointer, What};

/// What is to be cleaned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clean {
    /// Only what belongs to these projects; none means everything.
    pub packages: Vec<PackageName>,
    /// Only these kinds; none means all, and records, pages and logs too.
    pub kinds: Kinds,
}

/// Kinds of entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds {
    /// Source archives.
    pub sources: bool,
    /// Built wheels.
    pub built: bool,
    /// Build environments.
    pub environments: bool,
    /// Downloaded wheels.
    pub downloads: bool,
}

impl Kinds {
    fn includes(self, what: &What) -> bool {
        if self == Self::default() {
            return true;
        }
        match what {
            What::Source(_) | What::Repository(_) | What::StandIn(_) => self.sources,
            What::Wheel(_) | What::LostKey(_) => self.built,
            What::Environment(_) => self.environments,
            What::Download(_) | What::WheelMetadata(_) => self.downloads,
            _ => false,
        }
    }
}

/// What belongs to some projects, by what the records and pages say.
struct Belongings<'a> {
    projects: &'a [PackageName],
    sources: BTreeMap<Sha256, &'a PackageName>,
    /// Sources of other projects, which may be also of these: folders of one repository.
    shared: BTreeSet<Sha256>,
    downloads: BTreeMap<Sha256, &'a PackageName>,
    repositories: BTreeMap<Sha256, &'a PackageName>,
}

impl<'a> Belongings<'a> {
    fn of(found: &Inventory, projects: &'a [PackageName]) -> Self {
        let mut belongings = Self {
            projects,
            sources: BTreeMap::new(),
            shared: BTreeSet::new(),
            downloads: BTreeMap::new(),
            repositories: BTreeMap::new(),
        };
        let mut nameless = Vec::new();
        for item in &found.items {
            match &item.what {
                What::Wheel(built) => {
                    let source = built.source.digest.sha256;
                    match belongings.asked(&built.name) {
                        Some(project) => drop(belongings.sources.insert(source, project)),
                        None => drop(belongings.shared.insert(source)),
                    }
                }
                What::Pointer(pointer) => match &pointer.project {
                    Some(project) => match belongings.asked(project) {
                        Some(project) => {
                            let sources = pointer.current.iter().chain(&pointer.former);
                            let sources = sources.map(|digest| (*digest, project));
                            belongings.sources.extend(sources);
                        }
                        None => belongings.shared.extend(&pointer.current),
                    },
                    None => nameless.push(pointer),
                },
                What::Page(page) => {
                    if let Some(project) = belongings.asked_for(page.project.as_ref()) {
                        let files = page.files.iter().map(|digest| (*digest, project));
                        belongings.downloads.extend(files);
                    }
                }
                _ => {}
            }
        }
        belongings.take_repositories(&nameless);
        belongings
    }

    /// Takes the repositories that only places of these projects were taken from.
    fn take_repositories(&mut self, nameless: &[&Pointer]) {
        let mut others = BTreeSet::<Sha256>::new();
        for pointer in nameless.iter().filter(|one| one.names_sources()) {
            match self.owner(pointer) {
                Some(project) => {
                    let names = pointer.repositories.iter();
                    self.repositories.extend(names.map(|name| (*name, project)));
                }
                None => others.extend(&pointer.repositories),
            }
        }
        self.repositories.retain(|name, _| !others.contains(name));
    }

    fn asked(&self, project: &PackageName) -> Option<&'a PackageName> {
        self.projects.iter().find(|asked| *asked == project)
    }

    fn asked_for(&self, project: Option<&PackageName>) -> Option<&'a PackageName> {
        project.and_then(|project| self.asked(project))
    }

    /// The project that a source belongs to, if it is of no other.
    fn source(&self, digest: &Sha256) -> Option<&'a PackageName> {
        let project = self.sources.get(digest).copied();
        project.filter(|_| !self.shared.contains(digest))
    }

    /// The project that a place belongs to whose name tells none: all that it stands for does.
    fn owner(&self, pointer: &Pointer) -> Option<&'a PackageName> {
        let owners: Option<Vec<_>> = if pointer.names_sources() {
            let sources = pointer.current.iter().chain(&pointer.remembered);
            sources.map(|digest| self.source(digest)).collect()
        } else {
            let names = pointer.repositories.iter();
            names
                .map(|name| self.repositories.get(name).copied())
                .collect()
        };
        owners?.first().copied()
    }

    /// The project that an entry belongs to.
    fn of_item(&self, item: &Item) -> Option<&'a PackageName> {
        match &item.what {
            What::Source(digest) | What::Revision(digest) => self.source(digest),
            // One that was named by its place is in no page: its pointer tells whose it is.
            What::Download(digest) | What::WheelMetadata(digest) => self
                .downloads
                .get(digest)
                .copied()
                .or_else(|| self.source(digest)),
            What::Pointer(pointer) => match &pointer.project {
                Some(project) => self.asked(project),
                None => self.owner(pointer),
            },
            What::Repository(name) | What::StandIn(name) => self.repositories.get(name).copied(),
            What::Page(page) => self.asked_for(page.project.as_ref()),
            What::Environment(installed) => {
                let mut packages = installed.packages.iter();
                packages.find_map(|(name, _)| self.asked(name))
            }
            What::Wheel(built) => self.asked(&built.name),
            _ => None,
        }
    }
}

impl Plan {
    /// Plans a cleaning. Strangers stay, and so does what makes the root a cache of ours.
    #[must_use]
    pub fn clean(found: &Inventory, wish: &Clean) -> Self {
        let mut plan = Self::default();
        let belongings = Belongings::of(found, &wish.packages);
        for item in &found.items {
            if item.what == What::Stranger || !wish.kinds.includes(&item.what) {
                continue;
            }
            if wish.packages.is_empty() {
                plan.add(item, Reason::Asked);
            } else if let Some(project) = belongings.of_item(item) {
                plan.add(item, Reason::OfProject(project.to_string()));
            }
        }
        plan
    }
}
