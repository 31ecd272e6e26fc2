//! Cleaning: what was asked for goes, whether it is of use or not.

use std::collections::BTreeSet;

use model::{PackageName, Sha256};

use super::{Plan, Reason};
use crate::{Inventory, Item, What};

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
            What::Source(_) | What::Repository => self.sources,
            What::Wheel(_) | What::LostKey(_) => self.built,
            What::Environment(_) => self.environments,
            What::Download(_) => self.downloads,
            _ => false,
        }
    }
}

/// What belongs to a project, by what the records and pages say.
struct Belongings<'a> {
    project: &'a PackageName,
    sources: BTreeSet<Sha256>,
    /// Sources that another project's pointer stands for as well.
    shared: BTreeSet<Sha256>,
    downloads: BTreeSet<Sha256>,
}

impl<'a> Belongings<'a> {
    fn of(found: &Inventory, project: &'a PackageName) -> Self {
        let mut belongings = Self {
            project,
            sources: BTreeSet::new(),
            shared: BTreeSet::new(),
            downloads: BTreeSet::new(),
        };
        for item in &found.items {
            match &item.what {
                What::Wheel(built) if built.name == *project => {
                    belongings.sources.insert(built.source.digest.sha256);
                }
                What::Wheel(built) => {
                    belongings.shared.insert(built.source.digest.sha256);
                }
                What::Pointer(pointer) if pointer.project.as_ref() == Some(project) => {
                    belongings.sources.extend(&pointer.current);
                    belongings.sources.extend(&pointer.former);
                }
                What::Pointer(pointer) if pointer.project.is_some() => {
                    belongings.shared.extend(&pointer.current);
                }
                What::Page(page) if page.project.as_ref() == Some(project) => {
                    belongings.downloads.extend(&page.files);
                }
                _ => {}
            }
        }
        belongings
    }

    fn include(&self, item: &Item) -> bool {
        let is_own = |digest: &Sha256| self.sources.contains(digest);
        match &item.what {
            What::Source(digest) | What::Revision(digest) => {
                is_own(digest) && !self.shared.contains(digest)
            }
            What::Download(digest) => self.downloads.contains(digest) || is_own(digest),
            What::Pointer(pointer) => match &pointer.project {
                Some(project) => project == self.project,
                None => pointer.current.iter().all(is_own),
            },
            What::Page(page) => page.project.as_ref() == Some(self.project),
            What::Environment(installed) => installed
                .packages
                .iter()
                .any(|(name, _)| name == self.project),
            What::Wheel(built) => built.name == *self.project,
            _ => false,
        }
    }
}

impl Plan {
    /// Plans a cleaning. Strangers stay, and so does what makes the root a cache of ours.
    #[must_use]
    pub fn clean(found: &Inventory, wish: &Clean) -> Self {
        let mut plan = Self::default();
        let owners: Vec<_> = wish
            .packages
            .iter()
            .map(|project| Belongings::of(found, project))
            .collect();
        for item in &found.items {
            if item.what == What::Stranger || !wish.kinds.includes(&item.what) {
                continue;
            }
            if owners.is_empty() {
                plan.add(item, Reason::Asked);
            } else if let Some(owner) = owners.iter().find(|owner| owner.include(item)) {
                plan.add(item, Reason::OfProject(owner.project.to_string()));
            }
        }
        plan
    }
}
