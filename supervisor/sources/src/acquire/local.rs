//! Local archives and folders: copied or packed into a blob.

use std::fs::File;
use std::io::{self, BufWriter, Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use archive::{Exclusions, PackError};
use cache::{Bucket, Cache, CacheError};
use model::{Digest, Sha256};
use rustix::fs::OFlags;

use super::in_background;
use crate::SourceError;
use crate::names::printable;

/// How many bytes tell the kind of an archive.
const HEAD: u64 = 512;

/// Takes a copy of a local archive, after its digest was found to be the expected one.
pub(super) async fn archive(
    cache: &Cache,
    path: &Path,
    expected: Option<Sha256>,
) -> Result<Digest, SourceError> {
    let (cache, path) = (cache.clone(), path.to_owned());
    in_background(move || copy(&cache, &path, expected)).await?
}

fn copy(cache: &Cache, path: &Path, expected: Option<Sha256>) -> Result<Digest, SourceError> {
    let failed = |source: io::Error| SourceError::Read {
        path: path.to_owned(),
        source,
    };
    let check = |found: Sha256| match expected {
        Some(expected) if expected != found => Err(SourceError::HashMismatch {
            what: printable(&path.to_string_lossy()),
            expected,
            found,
        }),
        _ => Ok(()),
    };
    // Not blocking, so that a pipe in the file's place is an error and no wait.
    let mut file = File::options()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits() as i32)
        .open(path)
        .map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(failed(io::ErrorKind::InvalidInput.into()));
    }
    let (sha256, size) = Sha256::of_reader(&file).map_err(failed)?;
    check(sha256)?;
    let digest = Digest { sha256, size };
    if cache.blob(Bucket::Sources, &digest).is_some() {
        return Ok(digest);
    }
    file.rewind().map_err(failed)?;
    let mut staged = cache.staging_file()?;
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let got = file.read(&mut buffer).map_err(failed)?;
        if got == 0 {
            break;
        }
        let written = staged.write_all(&buffer[..got]);
        written.map_err(|source| CacheError::writing(staged.path(), source))?;
    }
    // It may have changed since it was hashed: what was copied counts.
    let digest = cache.put_blob(Bucket::Sources, staged)?;
    check(digest.sha256)?;
    Ok(digest)
}

/// Packs a folder into the normal form.
pub(super) async fn folder(
    cache: &Cache,
    path: &Path,
    subdirectory: Option<&str>,
    exclusions: &[PathBuf],
) -> Result<Digest, SourceError> {
    let project = path.join(subdirectory.unwrap_or_default());
    let mut folders = exclusions.to_vec();
    folders.push(cache.root().to_owned());
    // Scratches may lie elsewhere, also inside the tree that is packed.
    folders.extend(cache.scratch_place().map(|place| place.path().to_owned()));
    let (cache, path) = (cache.clone(), path.to_owned());
    in_background(move || {
        let is_project = ["pyproject.toml", "setup.py"]
            .iter()
            .any(|name| project.join(name).is_file());
        if !is_project {
            return Err(SourceError::NotAProject { path: project });
        }
        pack(&cache, &path, &Exclusions { folders })
    })
    .await?
}

fn pack(cache: &Cache, path: &Path, exclusions: &Exclusions) -> Result<Digest, SourceError> {
    let failed = |source: PackError| SourceError::Pack {
        path: path.to_owned(),
        source,
    };
    let staged = cache.staging_file()?;
    let place = staged.path().to_owned();
    let mut out = BufWriter::with_capacity(256 * 1024, staged);
    archive::pack(path, exclusions, &mut out).map_err(failed)?;
    let staged = out
        .into_inner()
        .map_err(|error| CacheError::writing(&place, error.into_error()))?;
    Ok(cache.put_blob(Bucket::Sources, staged)?)
}

/// Returns the first bytes of a blob.
pub(super) fn head(blob: &Path) -> Result<Vec<u8>, SourceError> {
    let mut head = Vec::new();
    File::open(blob)
        .and_then(|file| file.take(HEAD).read_to_end(&mut head))
        .map_err(|source| SourceError::Read {
            path: blob.to_owned(),
            source,
        })?;
    Ok(head)
}
