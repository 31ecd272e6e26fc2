//! Whether a published environment is still what was published.
//!
//! Two looks, neither of which reads a file: the *shape* (every entry with its type, size and
//! target) is compared on each find, wherever the cache was moved to; the [`Manifest`] knows inodes
//! and times too, and is compared where builds could change those.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use cache::Cache;
use model::Sha256;

use super::{Environment, InstallError};
use crate::Manifest;

/// Beside the folder of the environment.
const MANIFEST: &str = "manifest.json";
/// An environment that has more entries is none of ours.
const MOST: usize = 2_000_000;

/// Returns a digest over the names, types, sizes and targets of everything in a folder.
pub(super) fn shape(root: &Path) -> io::Result<Sha256> {
    let mut lines = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let (path, about) = (folder.join(entry.file_name()), entry.metadata()?);
            let name = hex::encode(path.as_os_str().as_bytes());
            // Who may execute is part of the shape; the rest of the mode is the mount's business.
            let executable = about.mode() & 0o111 != 0;
            lines.push(if about.is_dir() {
                folders.push(path);
                format!("d {name}")
            } else if about.is_symlink() {
                let target = fs::read_link(entry.path())?;
                format!("l {name} {}", hex::encode(target.as_os_str().as_bytes()))
            } else {
                format!("f {name} {} {executable}", about.size())
            });
            if lines.len() > MOST {
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
    }
    lines.sort_unstable();
    Ok(Sha256::of(lines.join("\n")))
}

/// Writes down what a finished environment looks like, into the staged folder `home`.
pub(super) fn write_manifest(cache: &Cache, home: &Path, env: &Path) -> Result<(), InstallError> {
    let failed = |error| InstallError::io("look at", env)(io::Error::other(error));
    let manifest = Manifest::of(env).map_err(failed)?;
    Ok(cache.write_record(&home.join(MANIFEST), &manifest)?)
}

/// Whether nobody touched an environment since it was published, not even its times; for hosts on
/// which builds could have. One that was copied to another place counts as touched.
#[must_use]
pub fn is_untouched(cache: &Cache, environment: &Environment) -> bool {
    let path = environment.path.with_file_name(MANIFEST);
    let Some(then) = cache.read_record::<Manifest>(&path) else {
        return false;
    };
    match Manifest::of(&environment.path) {
        Ok(now) => match then.difference(&now) {
            None => true,
            Some(difference) => {
                tracing::warn!(%difference, path = %environment.path.display(), "an environment was changed and is made anew");
                false
            }
        },
        Err(error) => {
            tracing::debug!(%error, "an environment can not be looked at");
            false
        }
    }
}
