//! Checking an environment against what its packages' RECORDs say. Bytecode is in none of them.

use std::fs;
use std::path::{Path, PathBuf};

use cache::{Bucket, Cache};
use model::Sha256;

use super::publish::{ENV, find_in};
use super::record::{self, Hasher};

/// Reads every file that an environment's packages installed, and says what is wrong first.
///
/// # Errors
/// If a file is missing or is not what was installed.
pub fn check_environment(cache: &Cache, name: &Sha256) -> Result<(), String> {
    let home = cache.bucket(Bucket::Environments).join(name.to_string());
    let environment = home.join(ENV);
    // In the root alone, and not as one who uses it: looking at it is no use of it.
    let known = cache
        .layers()
        .find(|layer| layer.is_writable())
        .and_then(|layer| find_in(&layer, name));
    let Some(known) = known else {
        return Err("its record and its folder do not fit together".to_owned());
    };
    let mut checked = 0;
    for site_packages in subfolders(&environment.join("lib"))? {
        let site_packages = site_packages.join("site-packages");
        for folder in subfolders(&site_packages)? {
            if folder.extension().is_some_and(|end| end == "dist-info") {
                check(&site_packages, &folder)?;
                checked += 1;
            }
        }
    }
    match known.packages.len() {
        wanted if wanted == checked => Ok(()),
        wanted => Err(format!("it holds {checked} packages of {wanted}")),
    }
}

fn check(site_packages: &Path, dist_info: &Path) -> Result<(), String> {
    let text = fs::read(dist_info.join("RECORD"))
        .map_err(|error| format!("a RECORD can not be read: {error}"))?;
    for (path, row) in record::parse(&text)? {
        let file = site_packages.join(&path);
        let shown = super::tree::printable(&path);
        let is_file = fs::symlink_metadata(&file).is_ok_and(|found| found.is_file());
        if !is_file {
            return Err(format!("`{shown}` is gone"));
        }
        if row.digest.is_none() {
            continue;
        }
        let bytes = fs::read(&file).map_err(|error| format!("`{shown}`: {error}"))?;
        let mut hasher = Hasher::new(row.digest.as_ref());
        hasher.update(&bytes);
        if !hasher.finish(row.digest.as_ref()).1 {
            return Err(format!("`{shown}` changed"));
        }
    }
    Ok(())
}

fn subfolders(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder)
        .map_err(|error| format!("`{}` can not be read: {error}", folder.display()))?;
    let mut found: Vec<_> = entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect();
    found.sort();
    Ok(found)
}
