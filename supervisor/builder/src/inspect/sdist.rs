//! A source archive, looked at without a build: what it is, and what building it would run.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use archive::{Budget, Top, Unpacked};
use cache::Cache;
use protocol::Limits;
use sources::{BuildSystem, CoreMetadata, PyprojectError};

use crate::assignment::unpack_order;
use crate::error::BuildError;
use crate::executor::Floor;
use crate::local::LocalExecutor;
use crate::pipeline::blocking;
use crate::unpacked::unpack;

/// The files that are looked at.
const FILES: [&str; 3] = ["pyproject.toml", "setup.py", "PKG-INFO"];
/// The backend of a project that names none.
const LEGACY: &str = "setuptools.build_meta:__legacy__";

/// What reads an archive that the supervisor does not decode itself.
#[derive(Clone, Copy, Debug)]
pub struct Workers<'a> {
    /// Runs a worker.
    pub executor: &'a LocalExecutor,
    /// Where the worker's scratch is made.
    pub cache: &'a Cache,
    /// What it may use.
    pub limits: &'a Limits,
    /// The least isolation that is accepted.
    pub floor: &'a Floor,
}

/// What is seen of a source archive that has passed the guards.
#[derive(Debug)]
pub struct InspectedSdist {
    /// What would be laid down, and what is odd about it.
    pub unpacked: Unpacked,
    /// What it says of itself, if it has a PKG-INFO that can be read.
    pub metadata: Option<CoreMetadata>,
    /// How it says that it is built.
    pub system: Result<BuildSystem, PyprojectError>,
    /// Whether it has a `setup.py`.
    pub has_setup: bool,
    /// Whether it has a `pyproject.toml`.
    pub has_pyproject: bool,
}

/// Looks at a source archive. None of it is run, and nothing is laid down but by a worker, for the
/// kinds that only a worker decodes.
///
/// # Errors
/// If the archive is refused, can not be read, or is of such a kind and there are no `workers`.
pub async fn inspect_sdist(
    path: &Path,
    workers: Option<Workers<'_>>,
) -> Result<InspectedSdist, BuildError> {
    let (unpacked, found) = match workers {
        Some(workers) => by_worker(path, workers).await?,
        None => {
            let path = path.to_owned();
            blocking("look into an archive", move || {
                here(&super::open_file(&path)?)
            })
            .await?
        }
    };
    Ok(InspectedSdist::new(unpacked, &found))
}

type Found = BTreeMap<String, Vec<u8>>;

fn here(file: &File) -> Result<(Unpacked, Found), BuildError> {
    archive::survey(file, &FILES, Top::Any, &Budget::default()).map_err(|refusal| {
        BuildError::Archive {
            rule: refusal.rule().to_owned(),
            detail: refusal.to_string(),
        }
    })
}

async fn by_worker(path: &Path, workers: Workers<'_>) -> Result<(Unpacked, Found), BuildError> {
    let order = unpack_order(path, Top::Any)?;
    let bounds = (workers.limits.clone(), workers.floor.clone());
    let unpacked = unpack(workers.executor, workers.cache, order, bounds).await?;
    blocking("read what a worker unpacked", move || {
        let room = unpacked.room()?;
        let found = FILES
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), room.read(name)?)))
            .collect();
        let said = unpacked.listing.ok_or_else(|| BuildError::Archive {
            rule: "decoder".to_owned(),
            detail: "the worker did not say what it unpacked".to_owned(),
        })?;
        let listing = Unpacked {
            members: said.members,
            bytes: said.bytes,
            top_folder: said.top_folder,
            notes: said.notes,
        };
        Ok((listing, found))
    })
    .await
}

impl InspectedSdist {
    fn new(unpacked: Unpacked, found: &Found) -> Self {
        let [pyproject, setup, metadata] = FILES.map(|name| found.get(name));
        Self {
            unpacked,
            metadata: metadata.and_then(|bytes| CoreMetadata::parse(bytes).ok()),
            system: BuildSystem::from_pyproject(pyproject.map(Vec::as_slice)),
            has_setup: setup.is_some(),
            has_pyproject: pyproject.is_some(),
        }
    }

    /// Whether there is anything to build.
    #[must_use]
    pub fn is_project(&self) -> bool {
        self.has_pyproject || self.has_setup
    }

    /// Returns what of it a build would run, one line each: the backend's hooks, code of the archive.
    #[must_use]
    pub fn runs(&self) -> Vec<String> {
        let Ok(system) = &self.system else {
            return Vec::new();
        };
        if !self.is_project() {
            return Vec::new();
        }
        let backend = system.backend.as_deref().unwrap_or(LEGACY);
        let mut runs = vec![format!(
            "`get_requires_for_build_wheel` and `build_wheel` of `{backend}`"
        )];
        runs.extend(
            system
                .backend_path
                .iter()
                .map(|folder| format!("a backend of the archive's own, in its folder `{folder}`")),
        );
        let by_setuptools = backend.split([':', '.']).next() == Some("setuptools");
        if self.has_setup && by_setuptools {
            runs.push("`setup.py` of the archive, by setuptools".to_owned());
        }
        runs
    }
}
