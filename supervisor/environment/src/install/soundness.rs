//! Whether a published environment is still what was published.
//!
//! The [`Manifest`] knows inodes and times of every entry and reads no file: as long as it fits, nothing
//! was written since the publication. Where it does not, for the cache was moved or something was
//! touched, the *content* decides: every entry with its type, its bytes or its target. Where builds
//! could change metadata, an environment has to be untouched as well. Why not the content each time:
//! `docs/decisions/0007-environments-by-manifest-then-by-content.md`.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use cache::{Cache, Layer};
use model::Sha256;

use super::{Environment, InstallError};
use crate::Manifest;

/// Beside the folder of the environment.
const MANIFEST: &str = "manifest.json";
/// An environment that has more entries is none of ours.
const MOST: usize = 2_000_000;

/// Returns a digest over the names, types, bytes and targets of everything in a folder.
pub(super) fn content(root: &Path) -> io::Result<Sha256> {
    let mut lines = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let (path, about) = (folder.join(entry.file_name()), entry.metadata()?);
            let name = hex::encode(path.as_os_str().as_bytes());
            // Who may execute counts; the rest of the mode is the mount's business.
            let executable = about.mode() & 0o111 != 0;
            lines.push(if about.is_dir() {
                folders.push(path);
                format!("d {name}")
            } else if about.is_symlink() {
                let target = fs::read_link(entry.path())?;
                format!("l {name} {}", hex::encode(target.as_os_str().as_bytes()))
            } else if about.is_file() {
                let (digest, size) = Sha256::of_reader(fs::File::open(entry.path())?)?;
                format!("f {name} {digest} {size} {executable}")
            } else {
                return Err(io::ErrorKind::InvalidData.into());
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

/// Returns what an environment looked like when it was published.
pub(super) fn read_manifest(layer: &Layer, env: &Path) -> Option<Manifest> {
    layer.read_record(&env.with_file_name(MANIFEST))
}

/// Whether an environment of `layer` holds what was published: nothing was written since, or what is
/// there has the digest `published`. That is found out once a run.
pub(super) fn is_whole(cache: &Cache, layer: &Layer, env: &Path, published: &Sha256) -> bool {
    let Some(then) = read_manifest(layer, env) else {
        return false;
    };
    let Ok(now) = Manifest::of(env) else {
        return false;
    };
    if then == now {
        return true;
    }
    let now = now.digest();
    if cache.recalls(env, &now) {
        return true;
    }
    let is_whole = content(env).is_ok_and(|found| found == *published);
    if is_whole {
        cache.recall(env, now);
    } else {
        tracing::debug!(path = %env.display(), "an environment is damaged");
    }
    is_whole
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
