//! Filling an environment: the empty layout, then wheel after wheel, then bytecode.

use std::path::{Path, PathBuf};

use cache::{Cache, StagingDir};
use model::{PythonFacts, Sha256, WheelFilename};

use super::script::Starter;
use super::spread::{Scheme, spread, write_record};
use super::tree::{Manner, Tree};
use super::wheel::Wheel;
use super::{Environment, InstallError, bytecode, layout, name, publish};

/// A wheel to install.
#[derive(Clone, Debug)]
pub struct WheelInput {
    /// The file.
    pub path: PathBuf,
    /// Its name as the index or the build has it; the file itself may be called anything.
    pub filename: WheelFilename,
    /// The digest it was chosen by; checked again.
    pub sha256: Sha256,
}

/// An environment that nobody can use yet.
#[derive(Debug)]
pub struct Staged {
    pub(super) staging: StagingDir,
    pub(super) tree: Tree,
    pub(super) name: Sha256,
    pub(super) bytecode: Vec<String>,
    pub(super) wheels: Vec<WheelInput>,
    pub(super) facts: PythonFacts,
}

/// Lays out an environment and installs the wheels into it. No code of theirs runs.
///
/// # Errors
/// If a wheel's bytes are not those that were chosen; if one is damaged, or names or holds what a
/// wheel may not; if two want different content in one place; if writing fails.
pub fn stage(
    cache: &Cache,
    wheels: &[WheelInput],
    facts: &PythonFacts,
) -> Result<Staged, InstallError> {
    let staging = cache.staging_dir()?;
    let mut tree = Tree::create(&staging.path().join(publish::ENV), Manner::Immutable)?;
    layout::lay_out(&mut tree, facts)?;
    let mut wheels = wheels.to_vec();
    wheels.sort_by_key(|wheel| (wheel.filename.name.clone(), wheel.sha256));
    wheels.dedup_by_key(|wheel| wheel.sha256);
    let scheme = Scheme {
        site_packages: layout::site_packages(facts),
        scripts: layout::SCRIPTS.to_owned(),
        headers: layout::headers(facts),
        starter: Starter::Beside,
    };
    for input in &wheels {
        let mut wheel = Wheel::open(input)?;
        let installed = spread(&mut wheel, &mut tree, &scheme, &[])?;
        let info = wheel.info();
        write_record(&mut tree, &scheme, (&wheel.label, &info), installed)?;
    }
    let bytecode = bytecode::expected(&tree, facts, &scheme.site_packages);
    Ok(Staged {
        staging,
        tree,
        name: name::environment_name(&wheels, facts),
        bytecode,
        wheels,
        facts: facts.clone(),
    })
}

impl Staged {
    /// Returns the environment's folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.tree.root()
    }

    /// Returns the bytecode files that [`super::COMPILE`] may make, relative to the root, sorted.
    #[must_use]
    pub fn bytecode(&self) -> Vec<String> {
        self.bytecode.clone()
    }

    /// Takes over the bytecode files that are expected from the folder `compiled`, and returns how
    /// many there were. Files that did not compile are missing there, which is no error.
    ///
    /// # Errors
    /// If one is not a plain file of bytecode, or reading or writing fails.
    pub fn adopt(&mut self, compiled: &Path) -> Result<u64, InstallError> {
        bytecode::adopt(&mut self.tree, compiled, &self.bytecode)
    }

    /// Publishes the environment; somebody may have published the same meanwhile, then that is
    /// returned.
    ///
    /// # Errors
    /// If the cache can not be written.
    pub fn publish(self, cache: &Cache) -> Result<Environment, InstallError> {
        publish::publish(self, cache)
    }
}
