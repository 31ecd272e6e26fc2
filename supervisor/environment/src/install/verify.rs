//! Checking an environment against what its packages' RECORDs say, and then all of it, for bytecode is
//! in none of them, against the digest of what was published.

use std::fs;
use std::path::{Path, PathBuf};

use cache::{Bucket, Cache};
use model::Sha256;

use super::publish::{ENV, recorded};
use super::record::{self, Hasher};
use super::soundness::{content, read_manifest};

/// Reads every file that an environment's packages installed, and says what is wrong first.
///
/// # Errors
/// If a file is missing or is not what was installed.
pub fn check_environment(cache: &Cache, name: &Sha256) -> Result<(), String> {
    let home = cache.bucket(Bucket::Environments).join(name.to_string());
    let environment = home.join(ENV);
    // In the root alone, and not as one who uses it: looking at it is no use of it.
    let own = cache.layers().find(cache::Layer::is_writable);
    let own = own.ok_or("there is no cache")?;
    let Some(known) = recorded(&own, name) else {
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
    let wanted = known.environment.packages.len();
    if wanted != checked {
        return Err(format!("it holds {checked} packages of {wanted}"));
    }
    if read_manifest(&own, &environment).is_none() {
        return Err("its manifest can not be read".to_owned());
    }
    match content(&environment) {
        Ok(found) if found == known.content => Ok(()),
        Ok(_) => Err("something beside the files of its packages changed".to_owned()),
        Err(error) => Err(format!("it can not be read: {error}")),
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
