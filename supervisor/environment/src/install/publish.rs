//! Finished environments in the cache: put there, found again.

use std::path::PathBuf;

use cache::{Bucket, Cache, Layer};
use model::{PackageName, Sha256, Version};
use serde::{Deserialize, Serialize};

use super::{INSTALLER_VERSION, InstallError, Soundness, Staged, soundness};

/// The folder of the environment itself.
pub(super) const ENV: &str = "env";
const RECORD: &str = "environment.json";
const SCHEMA: &str = "fumehood/environment/1";

/// A build environment: immutable, shared by all builds that resolve to the same set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// Its name: see [`super::environment_name`].
    pub name: Sha256,
    /// The folder that holds `bin`, `lib` and `pyvenv.cfg`.
    pub path: PathBuf,
    /// What is installed, by name.
    pub packages: Vec<(PackageName, Version)>,
    /// The wheels that it was made from: file name and digest.
    pub wheels: Vec<(String, Sha256)>,
}

#[derive(Serialize, Deserialize)]
struct Record {
    schema: String,
    name: Sha256,
    installer: u32,
    /// The interpreter's identity, as it enters keys.
    identity: String,
    /// The base interpreter that `bin/python` leads to.
    interpreter: PathBuf,
    packages: Vec<Package>,
    /// What was laid out, see [`super::soundness`].
    content: Sha256,
}

#[derive(Serialize, Deserialize)]
struct Package {
    name: PackageName,
    version: Version,
    wheel: String,
    sha256: Sha256,
}

/// Returns the environment of this name, if it was published and its interpreter is still there.
/// It is held from now on, there or not, so that no removal takes it while it is of use.
#[must_use]
pub fn find_environment(cache: &Cache, name: &Sha256) -> Option<Environment> {
    look_for_environment(cache, name).map(|(found, _)| found)
}

/// As [`find_environment`]; says also whether somebody touched it, by the same one look at all that is in it.
#[must_use]
pub fn look_for_environment(cache: &Cache, name: &Sha256) -> Option<(Environment, Soundness)> {
    cache.hold(&home(cache, name));
    let (found, soundness) = cache.layers().find_map(|layer| {
        let found = recorded(&layer, name)?;
        let path = &found.environment.path;
        let soundness = soundness::compare(cache, &layer, path, &found.content)?;
        Some((found.environment, soundness))
    })?;
    cache.touch(&found.path.with_file_name(RECORD));
    Some((found, soundness))
}

/// What a record says of an environment; whether the folder still holds that is another question.
pub(super) struct Recorded {
    pub(super) environment: Environment,
    /// The digest of what was published.
    pub(super) content: Sha256,
}

/// Looks into one layer alone: the record and the folder belong together.
pub(super) fn recorded(layer: &Layer, name: &Sha256) -> Option<Recorded> {
    let home = layer.bucket(Bucket::Environments).join(name.to_string());
    let record: Record = layer.read_record(&home.join(RECORD))?;
    let path = home.join(ENV);
    let usable = record.schema == SCHEMA
        && record.name == *name
        && record.installer == INSTALLER_VERSION
        && std::fs::read_link(path.join("bin/python")).is_ok_and(|to| to == record.interpreter)
        && record.interpreter.is_file();
    let content = record.content;
    let environment = usable.then(|| Environment {
        name: *name,
        path,
        wheels: record
            .packages
            .iter()
            .map(|package| (package.wheel.clone(), package.sha256))
            .collect(),
        packages: record
            .packages
            .into_iter()
            .map(|package| (package.name, package.version))
            .collect(),
    })?;
    Some(Recorded {
        environment,
        content,
    })
}

/// Publishes a staged environment.
pub(super) fn publish(staged: Staged, cache: &Cache) -> Result<Environment, InstallError> {
    let tree = staged.staging.path().join(ENV);
    let record = Record {
        schema: SCHEMA.to_owned(),
        name: staged.name,
        installer: INSTALLER_VERSION,
        identity: staged.facts.identity(),
        interpreter: staged.facts.executable.clone(),
        packages: staged
            .wheels
            .iter()
            .map(|wheel| Package {
                name: wheel.filename.name.clone(),
                version: wheel.filename.version.clone(),
                wheel: wheel.filename.to_string(),
                sha256: wheel.sha256,
            })
            .collect(),
        content: soundness::content(&tree).map_err(InstallError::io("read", &tree))?,
    };
    cache.write_record(&staged.staging.path().join(RECORD), &record)?;
    staged.tree.settle()?;
    soundness::write_manifest(cache, staged.staging.path(), &tree)?;
    let home = home(cache, &staged.name);
    if home.exists() && find_environment(cache, &staged.name).is_none() {
        discard_environment(cache, &staged.name)?;
    }
    cache.publish_dir(staged.staging, &home)?;
    find_environment(cache, &staged.name).ok_or(InstallError::Lost { path: home })
}

/// Removes an environment that is damaged or was changed, so that it is made anew.
///
/// # Errors
/// If it can not be removed. That it is not there is no error.
pub fn discard_environment(cache: &Cache, name: &Sha256) -> Result<(), InstallError> {
    Ok(cache.remove(&home(cache, name))?)
}

fn home(cache: &Cache, name: &Sha256) -> PathBuf {
    cache.bucket(Bucket::Environments).join(name.to_string())
}
