//! Acquiring: from a spec or an index's file to one blob in the cache.
//!
//! Whatever a source is, here it becomes an archive named by its SHA-256. What is in it is not
//! looked at, but for the first bytes, which tell the kind of archive.

mod local;
mod other_hashes;

use std::path::PathBuf;

use archive::{Kind, Top};
use cache::{Bucket, Cache};
use index::{Client, FileKind};
use model::{Code, Digest, PackageName, SdistFilename, Sha256, SourceId, SourceKind, Version};
use percent_encoding::percent_decode_str;
use url::Url;

use crate::names::printable;
use crate::{PointerRecord, Pointers, SourceError, Spec};

/// Is told how many bytes have come, and of how many if that is known.
pub type OnBytes<'a> = &'a (dyn Fn(u64, Option<u64>) + Send + Sync);

/// A source in the cache, ready to be given to a build.
#[derive(Clone, Debug)]
pub struct Source {
    /// What it is.
    pub id: SourceId,
    /// The blob.
    pub path: PathBuf,
    /// The kind of archive, told from its bytes.
    pub kind: Kind,
    /// What may stand at its top.
    pub top: Top,
    /// What people call it; without credentials and control characters.
    pub label: String,
    /// What the file's name says of project and version.
    pub sdist_name: Option<(PackageName, Version)>,
}

/// Acquires what a URL, a local archive or a folder holds. `exclusions` are absolute folders that
/// are never packed: the output directory; the cache's root is added.
///
/// # Errors
/// If it can not be fetched or read, has another digest, or is no archive.
pub async fn acquire(
    cache: &Cache,
    client: &Client,
    spec: &Spec,
    exclusions: &[PathBuf],
    on_bytes: OnBytes<'_>,
) -> Result<Source, SourceError> {
    let label = spec.to_string();
    match spec {
        Spec::Named(_) | Spec::Git { .. } => Err(SourceError::Unresolved { spec: label }),
        Spec::Url {
            name,
            url,
            sha256,
            subdirectory,
        } => {
            let digest = fetch(cache, client, url, sha256.as_ref(), on_bytes).await?;
            let filename = last_segment(url);
            let id = SourceId {
                kind: SourceKind::Url,
                digest,
                subdirectory: subdirectory.clone(),
            };
            let sdist_name = sdist_name(&filename, name.as_ref());
            finish(cache, id, Top::Any, label, sdist_name).await
        }
        Spec::Archive {
            name,
            path,
            sha256,
            subdirectory,
        } => {
            let digest = local::archive(cache, path, *sha256).await?;
            let filename = path.file_name().unwrap_or_default().to_string_lossy();
            let id = SourceId {
                kind: SourceKind::Archive,
                digest,
                subdirectory: subdirectory.clone(),
            };
            let sdist_name = sdist_name(&filename, name.as_ref());
            finish(cache, id, Top::Any, label, sdist_name).await
        }
        Spec::Directory {
            path, subdirectory, ..
        } => {
            let digest = local::folder(cache, path, subdirectory.as_deref(), exclusions).await?;
            let id = SourceId {
                kind: SourceKind::Directory,
                digest,
                subdirectory: subdirectory.clone(),
            };
            finish(cache, id, Top::Bare, label, None).await
        }
    }
}

/// Acquires an sdist that an index lists; a sound blob in the cache is used without asking.
///
/// # Errors
/// If it is a wheel, can not be fetched, or has another digest than the index promises.
pub async fn acquire_file(
    cache: &Cache,
    client: &Client,
    file: &index::File,
    on_bytes: OnBytes<'_>,
) -> Result<Source, SourceError> {
    let FileKind::Sdist(sdist) = &file.kind else {
        return Err(SourceError::NotAnSdist {
            filename: printable(&file.filename),
        });
    };
    let index = file.index.digest();
    let pointers = Pointers::of(cache);
    let known = pointers.get(&index, &sdist.name, &sdist.version);
    let fitting = known.filter(|record| {
        record.filename == file.filename
            && file
                .sha256
                .is_none_or(|wanted| wanted == record.digest.sha256)
            && file.size.is_none_or(|wanted| wanted == record.digest.size)
    });
    let present = match (&fitting, file.sha256) {
        (Some(record), _) => sound(cache, record.digest.sha256).await?,
        (None, Some(wanted)) => sound(cache, wanted).await?,
        (None, None) => None,
    };
    let digest = match present {
        Some(digest) => digest,
        None => {
            client
                .download_file(file, Bucket::Sources, on_bytes)
                .await?
        }
    };
    other_hashes::check(cache, file, digest).await?;
    if fitting.is_none_or(|record| record.digest != digest) {
        let record = PointerRecord::new(digest, file.filename.clone(), &file.url);
        pointers.put(&index, &sdist.name, &sdist.version, &record)?;
    }
    let id = SourceId {
        kind: SourceKind::Index,
        digest,
        subdirectory: None,
    };
    let sdist_name = Some((sdist.name.clone(), sdist.version.clone()));
    let label = printable(&file.filename);
    finish(cache, id, Top::OneFolder, label, sdist_name).await
}

/// Fetches a URL. Without a digest the bytes behind it may have changed, so it is asked each
/// time; only without a network does what it was the last time serve.
async fn fetch(
    cache: &Cache,
    client: &Client,
    url: &Url,
    expected: Option<&Sha256>,
    on_bytes: OnBytes<'_>,
) -> Result<Digest, SourceError> {
    if let Some(expected) = expected
        && let Some(digest) = sound(cache, *expected).await?
    {
        return Ok(digest);
    }
    let pointers = Pointers::of(cache);
    match client
        .download(url, expected, Bucket::Sources, on_bytes)
        .await
    {
        Ok(digest) => {
            let record = PointerRecord::new(digest, last_segment(url), url);
            pointers.put_url(url, &record)?;
            Ok(digest)
        }
        Err(error) if error.code() == Code::Offline && expected.is_none() => {
            let known = match pointers.get_url(url) {
                Some(record) => sound(cache, record.digest.sha256).await?,
                None => None,
            };
            known.ok_or(SourceError::Index(error))
        }
        Err(error) => Err(error.into()),
    }
}

/// Returns the digest of the blob of that name if it is there and sound.
async fn sound(cache: &Cache, sha256: Sha256) -> Result<Option<Digest>, SourceError> {
    let cache = cache.clone();
    in_background(move || {
        let size = std::fs::symlink_metadata(cache.blob_path(Bucket::Sources, &sha256))
            .ok()?
            .len();
        let digest = Digest { sha256, size };
        cache.blob(Bucket::Sources, &digest).map(|_| digest)
    })
    .await
}

/// Looks at the first bytes of the blob and puts the answer together.
async fn finish(
    cache: &Cache,
    id: SourceId,
    top: Top,
    label: String,
    sdist_name: Option<(PackageName, Version)>,
) -> Result<Source, SourceError> {
    let path = cache.blob_path(Bucket::Sources, &id.digest.sha256);
    let blob = path.clone();
    let head = in_background(move || local::head(&blob)).await??;
    let kind = Kind::detect(&head).ok_or_else(|| SourceError::NotAnArchive {
        what: label.clone(),
    })?;
    Ok(Source {
        id,
        path,
        kind,
        top,
        label,
        sdist_name,
    })
}

/// Returns the last part of a URL's path, decoded; a name for people and for guessing only.
fn last_segment(url: &Url) -> String {
    let segment = url
        .path_segments()
        .and_then(|segments| segments.rev().find(|segment| !segment.is_empty()))
        .unwrap_or_default();
    printable(&percent_decode_str(segment).decode_utf8_lossy())
}

/// Returns what a file's name says if it is the name of an sdist of the project `name`.
fn sdist_name(filename: &str, name: Option<&PackageName>) -> Option<(PackageName, Version)> {
    let sdist = SdistFilename::parse(filename, name?).ok()?;
    Some((sdist.name, sdist.version))
}

/// Runs what blocks where it does not hold up others.
pub(crate) async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, SourceError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|source| SourceError::Lost { source })
}

#[cfg(test)]
mod tests;
