//! What a whole set of requirements comes to: each project once, what its wheel would be, and why it is needed.

use std::collections::BTreeMap;
use std::sync::Arc;

use environment::Because;
use index::File;
use model::{ExtraName, PackageName, Requirement, Sha256, Version};
use protocol::Denial;
use serde::Serialize;
use sources::{Located, Spec};

use crate::outcome::{Failure, Wheel};
use crate::pipeline::{Builds, GivenWheel, Memo, Told, Turns};
use crate::shelf::Kept;

/// What is to be made, before it is made.
#[derive(Debug)]
pub struct Plan {
    /// Each project once: what was asked for first, in that order, then what that needs, by name.
    pub projects: Vec<Planned>,
    /// The versions of projects that are part of the choice and not made.
    pub(crate) left_out: BTreeMap<PackageName, Version>,
    /// What was asked for and can not be had, with its place among what was asked for. Nothing else depends on it.
    pub failures: Vec<(usize, Failure)>,
    /// What should be known about it.
    pub notes: Vec<String>,
    /// Environments that were made on the way.
    pub(crate) environments: Arc<Memo>,
    /// Work that was done on the way.
    pub(crate) turns: Arc<Turns>,
    /// Metadata that was told on the way: wheels have to agree with it.
    pub(crate) told: Arc<Told>,
    /// Builds that were made on the way.
    pub(crate) built: Arc<Builds>,
}

/// One project of a plan.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The project.
    pub name: PackageName,
    /// The version.
    pub version: Version,
    /// Extras that are wanted of it.
    pub extras: Vec<ExtraName>,
    /// What it requires by its metadata, whatever the markers.
    pub requires: Vec<Requirement>,
    /// Which requirements led to it.
    pub because: Vec<Because>,
    /// Its first place among what was asked for; none if it is there because of others alone.
    pub asked: Option<usize>,
    /// What was asked for, if that was a URL, a path or a repository.
    pub spec: Option<Spec>,
    /// What people call it: as they asked for it, else name and version.
    pub label: String,
    /// The commit, if a repository was named.
    pub(crate) commit: Option<String>,
    pub(crate) means: Means,
}

/// How a project's wheel is come by.
#[derive(Clone, Debug)]
pub(crate) enum Means {
    /// An index has it.
    Wheel(Box<File>),
    /// It was named by its place.
    Given(Box<GivenWheel>),
    /// It is on the shelf.
    Kept(Box<Kept>),
    /// It has to be built.
    Source(Box<Located>),
    /// It is there already, see [`crate::Settings::installed`].
    Installed,
    /// It can not be had, as was found out on the way.
    Broken(Box<Failure>),
}

/// What was fetched of a project.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The project.
    pub name: PackageName,
    /// The version.
    pub version: Version,
    /// What it is.
    pub kind: FetchedKind,
    /// The file, or for a source what people call it.
    pub filename: String,
    /// Its digest.
    pub sha256: Sha256,
    /// Its size in bytes.
    pub size: u64,
    /// What its build environment holds; empty where nothing is to be built.
    pub build_requires: Vec<(PackageName, Version)>,
    /// What its hook asked for beyond what the source declares, as it was asked.
    pub asked_by_hook: Vec<String>,
    /// What was refused to that hook.
    pub denials: Vec<Denial>,
}

/// What kind of thing was fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FetchedKind {
    /// A wheel that nothing is built for.
    Wheel,
    /// A source that is still to be built.
    Source,
    /// A wheel that was built and kept.
    Kept,
}

impl Fetched {
    pub(crate) fn new(
        planned: &Planned,
        kind: FetchedKind,
        (filename, sha256, size): (String, Sha256, u64),
    ) -> Self {
        Self {
            name: planned.name.clone(),
            version: planned.version.clone(),
            kind,
            filename,
            sha256,
            size,
            build_requires: Vec::new(),
            asked_by_hook: Vec::new(),
            denials: Vec::new(),
        }
    }

    /// A wheel that is taken as it is.
    pub(crate) fn wheel(planned: &Planned, wheel: Wheel) -> Self {
        let what = (wheel.filename, wheel.sha256, wheel.size);
        Self::new(planned, FetchedKind::Wheel, what)
    }
}

/// What a project's wheel would be.
#[derive(Clone, Debug)]
pub enum WouldBe {
    /// A wheel that an index has, or that was named by its place; no code runs.
    Wheel {
        /// Its file name.
        filename: String,
    },
    /// A wheel that was built earlier and kept; no code runs.
    Kept {
        /// Its file name.
        filename: String,
    },
    /// A wheel that has to be built: code of the source runs in a worker.
    Source {
        /// What is built.
        label: String,
    },
    /// None is needed: it is installed.
    Installed,
    /// Nothing: it failed already.
    Broken(Box<Failure>),
}

impl Plan {
    /// The version of each project.
    pub(crate) fn versions(&self) -> BTreeMap<PackageName, Version> {
        let projects = self.projects.iter();
        projects
            .map(|one| (one.name.clone(), one.version.clone()))
            .chain(self.left_out.clone())
            .collect()
    }

    /// Leaves projects out of what is made. Their versions stay chosen: others are built with them.
    pub fn retain(&mut self, is_made: impl Fn(&Planned) -> bool) {
        let (made, left_out): (Vec<_>, Vec<_>) = std::mem::take(&mut self.projects)
            .into_iter()
            .partition(is_made);
        self.projects = made;
        let left_out = left_out.into_iter();
        self.left_out
            .extend(left_out.map(|one| (one.name, one.version)));
    }

    /// The projects that are not installed already.
    pub(crate) fn to_come(&self) -> impl Iterator<Item = &Planned> {
        self.projects.iter().filter(|one| !one.is_installed())
    }
}

impl Planned {
    /// Returns why its wheel can not be had, if that is known already.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match &self.means {
            Means::Broken(failure) => Some(failure),
            _ => None,
        }
    }

    /// Whether it is there already and stays, so that no wheel of it is made.
    #[must_use]
    pub fn is_installed(&self) -> bool {
        matches!(self.means, Means::Installed)
    }

    /// Returns what its wheel would be.
    #[must_use]
    pub fn would_be(&self) -> WouldBe {
        match &self.means {
            Means::Wheel(file) => WouldBe::Wheel {
                filename: file.filename.clone(),
            },
            Means::Given(given) => WouldBe::Wheel {
                filename: given.file.filename.clone(),
            },
            Means::Kept(kept) => WouldBe::Kept {
                filename: kept.record.filename.clone(),
            },
            Means::Source(source) => WouldBe::Source {
                label: source.label.clone(),
            },
            Means::Installed => WouldBe::Installed,
            Means::Broken(failure) => WouldBe::Broken(failure.clone()),
        }
    }
}

impl Means {
    /// Whether the two lead to different wheels.
    pub(crate) fn is_other(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Kept(one), Self::Kept(other)) => one.record.key != other.record.key,
            (Self::Source(one), Self::Source(other)) => one.id != other.id,
            (Self::Given(one), Self::Given(other)) => !one.is_same(other),
            _ => true,
        }
    }
}
