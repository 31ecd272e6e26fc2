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

use super::InstallError;
use crate::{Difference, Manifest};

/// Beside the folder of the environment.
const MANIFEST: &str = "manifest.json";
/// An environment that has more entries is none of ours.
const MOST: usize = 2_000_000;

/// How an environment that holds what was published looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Soundness {
    /// As it did then: nobody touched it, not even its times.
    Untouched,
    /// Otherwise, with the same content: somebody touched it, or it was copied to another place. Where builds could
    /// have done that, it is of no use.
    Touched(Difference),
}

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

/// Compares an environment of `layer` with what was published; nothing if it holds something else. Where
/// something was touched since, what is there has to have the digest `published`; that is found out once a run.
pub(super) fn compare(
    cache: &Cache,
    layer: &Layer,
    env: &Path,
    published: &Sha256,
) -> Option<Soundness> {
    let then = read_manifest(layer, env)?;
    let now = Manifest::of(env)
        .inspect_err(|error| tracing::debug!(%error, "an environment can not be looked at"))
        .ok()?;
    let Some(difference) = then.difference(&now) else {
        return Some(Soundness::Untouched);
    };
    let now = now.digest();
    if !cache.recalls(env, &now) {
        if !content(env).is_ok_and(|found| found == *published) {
            tracing::debug!(path = %env.display(), "an environment is damaged");
            return None;
        }
        cache.recall(env, now);
    }
    Some(Soundness::Touched(difference))
}
