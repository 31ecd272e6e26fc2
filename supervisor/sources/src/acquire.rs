//! Acquiring: from a spec or an index's file to one blob in the cache, in two steps.
//!
//! *Locating* finds out which bytes a place stands for, and asks, hashes or packs only if what is
//! known of the place is no longer fresh; the blob need not be there, since a wheel may. It is
//! *materialised* when a build needs it: then it is fetched or packed again if it is missing or
//! damaged, and has to be the same. What is in it is not looked at, but for the first bytes, which
//! tell the kind of archive. A wheel that is named by its place is acquired in the same way, and kept
//! among the downloads.

mod behind_url;
mod listed;
mod local;
mod located;
mod other_hashes;

use std::path::{Path, PathBuf};

use archive::{Kind, Top};
use cache::{Bucket, Cache, Sealed};
use index::Client;
use model::{Digest, PackageName, SdistFilename, Sha256, SourceId, SourceKind, Version};

use crate::names::printable;
use crate::shown::last_segment;
use crate::{SourceError, Spec};
pub use located::Located;
use located::Origin;

/// Is told how many bytes have come, and of how many if that is known.
pub type OnBytes<'a> = &'a (dyn Fn(u64, Option<u64>) + Send + Sync);

/// What sources are acquired with.
#[derive(Clone, Copy)]
pub struct Means<'a> {
    /// Where they are kept.
    pub cache: &'a Cache,
    /// Fetches them, and knows what is to be asked again.
    pub client: &'a Client,
    /// Is told of the bytes that come.
    pub on_bytes: OnBytes<'a>,
    /// What stands in for the `.git` of a folder, if it has one.
    pub repository: Option<&'a Sealed>,
    /// What a folder or a local archive turned out to be a moment ago: then it is not read again.
    pub known: Option<Digest>,
}

impl std::fmt::Debug for Means<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Means")
            .field("cache", self.cache)
            .finish_non_exhaustive()
    }
}

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
    /// Whether anybody may fetch it: [`Located::is_public`].
    pub is_public: bool,
    /// Where the blob is kept.
    bucket: Bucket,
}

/// Finds out which bytes a URL, a local archive or a folder stands for. `exclusions` are absolute
/// folders that are never packed: the output directory; the cache's root is added.
///
/// # Errors
/// If it can not be fetched or read, or has another digest.
pub async fn locate(
    means: &Means<'_>,
    spec: &Spec,
    exclusions: &[PathBuf],
) -> Result<Located, SourceError> {
    let label = spec.to_string();
    let again = means.client.settings().refresh.covers(spec.name());
    let bucket = bucket_of(spec);
    match spec {
        Spec::Named(_) | Spec::Listed(_) | Spec::Git { .. } => {
            Err(SourceError::Unresolved { spec: label })
        }
        Spec::Url {
            name,
            url,
            sha256,
            hashes,
            subdirectory,
            ..
        } => {
            let place = behind_url::Place { url, again, bucket };
            let (digest, is_here) = match sha256 {
                Some(expected) => place.of_digest(means, *expected).await?,
                None => place.as_it_is(means).await?,
            };
            let mut located = Located {
                id: id(SourceKind::Url, digest, subdirectory.as_ref()),
                label,
                sdist_name: sdist_name(&printable(&last_segment(url)), name.as_ref()),
                commit: None,
                is_public: false,
                top: Top::Any,
                origin: Origin::Url(url.clone()),
                bucket,
                is_here,
            };
            located.check_hashes(means, hashes).await?;
            Ok(located)
        }
        Spec::Archive {
            name,
            path,
            sha256,
            hashes,
            subdirectory,
            ..
        } => {
            let place = local::Place { path, bucket };
            let (digest, is_here) = match means.known {
                Some(known) => (local::expect(path, *sha256, known)?, false),
                None => place.locate(means.cache, *sha256, again).await?,
            };
            let filename = path.file_name().unwrap_or_default().to_string_lossy();
            let mut located = Located {
                id: id(SourceKind::Archive, digest, subdirectory.as_ref()),
                label,
                sdist_name: sdist_name(&filename, name.as_ref()),
                commit: None,
                is_public: false,
                top: Top::Any,
                origin: Origin::Archive(path.clone()),
                bucket,
                is_here,
            };
            located.check_hashes(means, hashes).await?;
            Ok(located)
        }
        Spec::Directory {
            path, subdirectory, ..
        } => {
            let folder = local::Folder::new(means, path, exclusions);
            packed(means, (folder, label), subdirectory.as_ref(), again).await
        }
    }
}

/// Locates a folder, which is packed for it.
async fn packed(
    means: &Means<'_>,
    (folder, label): (local::Folder, String),
    subdirectory: Option<&String>,
    again: bool,
) -> Result<Located, SourceError> {
    let inner = subdirectory.map(String::as_str);
    let (digest, is_here) = folder.locate(means, inner, again).await?;
    Ok(Located {
        id: id(SourceKind::Directory, digest, subdirectory),
        label,
        sdist_name: None,
        commit: None,
        is_public: false,
        top: Top::Bare,
        origin: Origin::Folder(folder),
        bucket: Bucket::Sources,
        is_here,
    })
}

/// Finds out which bytes an sdist that an index lists is.
///
/// # Errors
/// If it is a wheel, can not be fetched, or is not what the index promises or was before.
pub async fn locate_file(means: &Means<'_>, file: &index::File) -> Result<Located, SourceError> {
    listed::locate(means, file).await
}

/// Acquires what a URL, a local archive or a folder holds: locates and materialises it.
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
    let means = Means {
        cache,
        client,
        on_bytes,
        repository: None,
        known: None,
    };
    let located = locate(&means, spec, exclusions).await?;
    located.materialise(&means).await
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
    let means = Means {
        cache,
        client,
        on_bytes,
        repository: None,
        known: None,
    };
    let located = locate_file(&means, file).await?;
    located.materialise(&means).await
}

fn id(kind: SourceKind, digest: Digest, subdirectory: Option<&String>) -> SourceId {
    SourceId {
        kind,
        digest,
        subdirectory: subdirectory.cloned(),
    }
}

/// Where the bytes of what a spec names are kept.
fn bucket_of(spec: &Spec) -> Bucket {
    match spec.wheel() {
        Some(_) => Bucket::Downloads,
        None => Bucket::Sources,
    }
}

/// Returns the digest of the blob of that name if it is there and sound.
async fn sound(
    cache: &Cache,
    bucket: Bucket,
    sha256: Sha256,
) -> Result<Option<Digest>, SourceError> {
    let cache = cache.clone();
    in_background(move || {
        let size = std::fs::symlink_metadata(cache.blob_path(bucket, &sha256))
            .ok()?
            .len();
        let digest = Digest { sha256, size };
        cache.blob(bucket, &digest).map(|_| digest)
    })
    .await
}

/// Returns what a file's name says if it is the name of an sdist of the project `name`.
fn sdist_name(filename: &str, name: Option<&PackageName>) -> Option<(PackageName, Version)> {
    let sdist = SdistFilename::parse(filename, name?).ok()?;
    Some((sdist.name, sdist.version))
}

/// Tells the kind of an archive from its first bytes.
async fn kind_of(blob: &Path, label: &str) -> Result<Kind, SourceError> {
    let blob = blob.to_owned();
    let head = in_background(move || local::head(&blob)).await??;
    Kind::detect(&head).ok_or_else(|| SourceError::NotAnArchive {
        what: label.to_owned(),
    })
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
