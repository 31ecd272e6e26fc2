//! A look into a source before any of it is unpacked for a build: `pyproject.toml`, and what
//! `PKG-INFO` claims. What it showed is kept, so that the archive is not opened for it again.

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::Arc;

use archive::Budget;
use model::{PackageName, Sha256, SourceId, SourceKind, Version};
use sources::{
    BuildSystem, CoreMetadata, Fixed, Located, Project, ProjectTable, Revisions, Source,
};

use super::corridor::{Expectation, Pipeline, blocking, looking};
use crate::assignment::unpack_order;
use crate::error::BuildError;
use crate::key::key_of;
use crate::unpacked::unpack;

/// What a look into a source shows.
pub(super) struct Looked {
    /// How it is built.
    pub(super) system: BuildSystem,
    /// What its own PKG-INFO says of name and version, if it has one that can be read.
    pub(super) named: Option<(PackageName, Version)>,
    /// What is kept of it.
    project: Project,
    /// Whether it is an sdist, whose own words count.
    is_sdist: bool,
}

impl Looked {
    /// Returns what was kept of a source, if it still keeps the rules.
    fn of(id: &SourceId, project: Project) -> Option<Self> {
        let system = project.build_system()?;
        Some(Self {
            system,
            named: named(id, &project),
            is_sdist: is_sdist(id),
            project,
        })
    }

    /// Returns the package that the settings of single packages are looked up by: the one asked for, else the
    /// one that the source says it is.
    pub(super) fn package(&self, expectation: &Expectation) -> Option<PackageName> {
        let named = self.named.as_ref().map(|(name, _)| name);
        let asked = expectation.name.as_ref().or(named);
        asked.or_else(|| self.project.name()).cloned()
    }

    /// Returns the metadata that the source fixes. One of another project or version than the one expected
    /// fixes nothing: the build decides.
    pub(super) fn fixed(&self, expectation: &Expectation) -> Option<Fixed> {
        self.project
            .fixed(self.is_sdist, expectation.version.as_ref())
            .filter(|fixed| {
                let found = &fixed.metadata;
                expectation.check(&found.name, &found.version).is_ok()
            })
    }

    /// Whether the hook for metadata is not to be asked, for the wheel may differ by design.
    pub(super) fn hook_may_differ(&self) -> bool {
        self.project.hook_may_differ()
    }
}

/// Whether it is an archive that somebody released, and no folder of somebody's work.
fn is_sdist(id: &SourceId) -> bool {
    !matches!(id.kind, SourceKind::Directory | SourceKind::Git)
}

/// Name and version that bind the wheel: what an sdist says of itself. A PKG-INFO that lies in a
/// folder of somebody's work may be of any age.
fn named(id: &SourceId, project: &Project) -> Option<(PackageName, Version)> {
    if !is_sdist(id) {
        return None;
    }
    project
        .said
        .as_ref()
        .map(|said| (said.name.clone(), said.version.clone()))
}

/// The files that are looked at.
const FILES: [&str; 4] = ["pyproject.toml", "setup.py", "PKG-INFO", "setup.cfg"];

impl Pipeline {
    /// Returns the key of building `source`.
    pub(super) async fn key(
        &self,
        source: &Located,
        expectation: &Expectation,
    ) -> Result<Sha256, BuildError> {
        let mut package = expectation.name.clone();
        // Which package it is counts only where something is said of single ones.
        if package.is_none() && self.settings.speaks_of_packages() {
            let known = self.known(source).await?;
            package = known.and_then(|looked| looked.package(expectation));
        }
        key_of(&source.id, &self.settings, package.as_ref())
    }

    /// Returns what an earlier look into `source` showed.
    pub(super) async fn known(&self, source: &Located) -> Result<Option<Looked>, BuildError> {
        let (cache, id) = (self.settings.cache.clone(), source.id.clone());
        looking("look what is known of a source", move || {
            let project = Revisions::of(&cache).project(&id);
            Ok(project.and_then(|project| Looked::of(&id, project)))
        })
        .await
    }

    /// Reads the build system of `source` out of its archive, and what it says of itself.
    pub(super) async fn look(&self, source: &Source) -> Result<Looked, BuildError> {
        let folder = source.id.subdirectory.as_deref();
        let names = FILES.map(|file| match folder {
            Some(folder) => format!("{folder}/{file}"),
            None => file.to_owned(),
        });
        let [pyproject, setup, metadata, more_setup] = if source.kind.decodable_in_supervisor() {
            let source = source.clone();
            blocking("look into the source", move || peek(&source, &names)).await?
        } else {
            self.look_by_worker(source, names).await?
        };
        if pyproject.is_none() && setup.is_none() {
            let place =
                folder.map_or_else(String::new, |folder| format!(" in its folder `{folder}`"));
            return Err(BuildError::NotAProject { place });
        }
        let system = BuildSystem::from_pyproject(pyproject.as_deref())?;
        let said = metadata.and_then(|bytes| CoreMetadata::parse(&bytes).ok());
        let has_setup = setup.is_some() || more_setup.is_some();
        let table = pyproject.and_then(|text| ProjectTable::read(&text, has_setup));
        let project = Project::new(&system, said.as_ref(), table);
        let looked = Looked {
            system,
            named: named(&source.id, &project),
            is_sdist: is_sdist(&source.id),
            project: project.clone(),
        };
        let (cache, id) = (self.settings.cache.clone(), source.id.clone());
        blocking("keep what a source says", move || {
            Revisions::of(&cache).keep(&id, project);
            Ok(())
        })
        .await?;
        Ok(looked)
    }

    /// Has a worker decode what no memory-safe decoder of the supervisor reads.
    async fn look_by_worker(
        &self,
        source: &Source,
        names: [String; 4],
    ) -> Result<[Option<Vec<u8>>; 4], BuildError> {
        let settings = Arc::clone(&self.settings);
        let limits = settings.limits.over(settings.policy.limits());
        let order = unpack_order(&source.path, source.top)?;
        let bounds = (limits, settings.floor.without_guarantees());
        let unpacked = unpack(&settings.executor, &settings.cache, order, bounds).await?;
        blocking("read what a worker unpacked", move || {
            let room = unpacked.room()?;
            Ok(names.map(|name| room.read(&name)))
        })
        .await
    }
}

fn peek(source: &Source, names: &[String; 4]) -> Result<[Option<Vec<u8>>; 4], BuildError> {
    let file = File::open(&source.path).map_err(|error| BuildError::Io {
        doing: "open",
        path: source.path.clone(),
        source: error,
    })?;
    let wanted: Vec<_> = names.iter().map(String::as_str).collect();
    let mut found: BTreeMap<String, Vec<u8>> =
        archive::peek(&file, &wanted, source.top, &Budget::default()).map_err(|refusal| {
            BuildError::Archive {
                rule: refusal.rule().to_owned(),
                detail: refusal.to_string(),
            }
        })?;
    Ok([0, 1, 2, 3].map(|at| found.remove(&names[at])))
}
