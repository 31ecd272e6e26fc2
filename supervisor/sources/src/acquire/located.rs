//! A source that is named by its bytes, which need not be in the cache; and how to get them back.

use std::collections::BTreeMap;
use std::path::PathBuf;

use archive::Top;
use cache::{Bucket, Cache};
use index::IndexError;
use model::{Digest, PackageName, Sha256, SourceId, SourceKind, Version};
use url::Url;

use super::local::{self, Folder};
use super::{Means, Source, kind_of, listed, other_hashes, sound};
use crate::shown::shown_url;
use crate::{Revisions, SourceError};

/// A source whose bytes are known by digest. A wheel that was built from it can be served as it
/// is; a build needs it materialised.
#[derive(Clone, Debug)]
pub struct Located {
    /// What it is.
    pub id: SourceId,
    /// What people call it; without credentials and control characters.
    pub label: String,
    /// What the file's name says of project and version.
    pub sdist_name: Option<(PackageName, Version)>,
    /// The commit, if it came from a repository that was named.
    pub commit: Option<String>,
    /// Whether anybody may fetch it: whoever lists it says so, for the default is no.
    pub is_public: bool,
    pub(super) top: Top,
    pub(super) origin: Origin,
    /// Where the blob is kept.
    pub(super) bucket: Bucket,
    /// The blob was written or checked a moment ago.
    pub(super) is_here: bool,
}

/// Where the bytes come from, should they be missing.
#[derive(Clone)]
pub(super) enum Origin {
    Url(Url),
    Listed(Box<index::File>),
    Archive(PathBuf),
    Folder(Folder),
    /// Whoever made it knows; it was there when it was made.
    Elsewhere,
}

impl std::fmt::Debug for Origin {
    /// A URL may hold credentials.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Url(_) => "Url",
            Self::Listed(_) => "Listed",
            Self::Archive(_) => "Archive",
            Self::Folder(_) => "Folder",
            Self::Elsewhere => "Elsewhere",
        })
    }
}

impl From<Source> for Located {
    /// A source that is in the cache.
    fn from(source: Source) -> Self {
        Self {
            id: source.id,
            label: source.label,
            sdist_name: source.sdist_name,
            commit: None,
            is_public: source.is_public,
            top: source.top,
            origin: Origin::Elsewhere,
            bucket: source.bucket,
            is_here: true,
        }
    }
}

impl Located {
    /// The tree of a commit in the normal form, which somebody else packed and can pack again.
    #[must_use]
    pub fn packed(id: SourceId, label: String, commit: String) -> Self {
        Self {
            id,
            label,
            sdist_name: None,
            commit: Some(commit),
            is_public: false,
            top: Top::Bare,
            origin: Origin::Elsewhere,
            bucket: Bucket::Sources,
            is_here: false,
        }
    }

    /// An sdist that was made here and lies in the cache.
    #[must_use]
    pub fn made(digest: Digest, filename: String, name: PackageName, version: Version) -> Self {
        Self {
            id: SourceId {
                kind: SourceKind::Archive,
                digest,
                subdirectory: None,
            },
            label: filename,
            sdist_name: Some((name, version)),
            commit: None,
            is_public: false,
            top: Top::OneFolder,
            origin: Origin::Elsewhere,
            bucket: Bucket::Sources,
            is_here: true,
        }
    }

    /// Returns the source with its bytes in the cache; they are fetched or packed again if they
    /// are not there, or damaged.
    ///
    /// What came from an index or a URL is the same or an error. A local archive or folder that
    /// changed since it was located is returned as what it is now, under another digest.
    ///
    /// # Errors
    /// If the bytes can not be had, are others, or are no archive.
    pub async fn materialise(&self, means: &Means<'_>) -> Result<Source, SourceError> {
        let id = self.bring(means).await?;
        if let Origin::Listed(file) = &self.origin {
            listed::remember(means, file, id.digest)?;
        }
        let path = means.cache.blob_path(self.bucket, &id.digest.sha256);
        let kind = kind_of(&path, &self.label).await?;
        Ok(Source {
            id,
            path,
            kind,
            top: self.top,
            label: self.label.clone(),
            sdist_name: self.sdist_name.clone(),
            is_public: self.is_public,
            bucket: self.bucket,
        })
    }

    /// Returns where the blob lies if it is there.
    #[must_use]
    pub fn blob_in(&self, cache: &Cache) -> PathBuf {
        cache.blob_path(self.bucket, &self.id.digest.sha256)
    }

    /// Sees to it that the blob is there, and returns what it is.
    async fn bring(&self, means: &Means<'_>) -> Result<SourceId, SourceError> {
        let mut id = self.id.clone();
        let blob = self.blob_in(means.cache);
        // One that was checked a moment ago may have been pruned since.
        let is_here = self.is_here && blob.is_file();
        if !is_here
            && sound(means.cache, self.bucket, id.digest.sha256)
                .await?
                .is_none()
        {
            tracing::debug!(label = %self.label, "the source is fetched or packed again");
            id.digest = self.heal(means).await?;
        }
        Ok(id)
    }

    /// Gets the bytes again.
    async fn heal(&self, means: &Means<'_>) -> Result<Digest, SourceError> {
        let expected = self.id.digest.sha256;
        match &self.origin {
            Origin::Url(url) => self.fetched(self.download(means, url, expected).await),
            Origin::Listed(file) => {
                let file = index::File {
                    sha256: Some(expected),
                    ..(**file).clone()
                };
                let fetched = means
                    .client
                    .download_file(&file, self.bucket, means.on_bytes)
                    .await;
                self.fetched(fetched)
            }
            Origin::Archive(path) => {
                let bucket = self.bucket;
                let place = local::Place { path, bucket };
                let (digest, _) = place.locate(means.cache, None, true).await?;
                Ok(digest)
            }
            Origin::Folder(folder) => folder.pack(means.cache).await,
            Origin::Elsewhere => Err(SourceError::Gone {
                what: self.label.clone(),
            }),
        }
    }

    async fn download(
        &self,
        means: &Means<'_>,
        url: &Url,
        expected: Sha256,
    ) -> Result<Digest, IndexError> {
        means
            .client
            .download(url, Some(&expected), self.bucket, means.on_bytes)
            .await
    }

    /// Says of a failure that it is about a source that was here before.
    fn fetched(&self, fetched: Result<Digest, IndexError>) -> Result<Digest, SourceError> {
        let (name, place) = match &self.origin {
            Origin::Listed(file) => (Some(file.name().clone()), shown_url(&file.url)),
            Origin::Url(url) => (None, shown_url(url)),
            _ => (None, self.label.clone()),
        };
        fetched.map_err(|error| match error {
            // The index still says so, and serves something else.
            IndexError::Lied { .. } if self.is_promised() => error.into(),
            IndexError::HashMismatch {
                expected, found, ..
            }
            | IndexError::Lied {
                expected, found, ..
            } => SourceError::Replaced {
                what: self.named(),
                place,
                expected,
                found,
                name,
            },
            source @ (IndexError::Offline { .. }
            | IndexError::Status {
                status: 404 | 410, ..
            }) => SourceError::NotFetched {
                what: self.named(),
                source,
            },
            other => other.into(),
        })
    }

    /// Whether an index promises the digest now.
    fn is_promised(&self) -> bool {
        match &self.origin {
            Origin::Listed(file) => file.sha256 == Some(self.id.digest.sha256),
            _ => false,
        }
    }

    /// Project and version where they are known, else the label.
    fn named(&self) -> String {
        match &self.sdist_name {
            Some((name, version)) => format!("{name} {version}"),
            None => self.label.clone(),
        }
    }

    /// Checks digests by other algorithms, and remembers those that fit, so that they are computed
    /// once. For what was not checked yet the bytes are needed.
    pub(super) async fn check_hashes(
        &mut self,
        means: &Means<'_>,
        asked: &BTreeMap<String, String>,
    ) -> Result<(), SourceError> {
        let digest = self.id.digest.sha256;
        let known = Revisions::of(means.cache).hashes(&digest);
        let open = other_hashes::open(&self.label, asked, &known)?;
        if open.is_empty() {
            return Ok(());
        }
        // What changed locally meanwhile is what counts from now on.
        self.id = self.bring(means).await?;
        self.is_here = true;
        let digest = self.id.digest.sha256;
        let blob = self.blob_in(means.cache);
        other_hashes::check(&blob, &self.label, &open).await?;
        Revisions::of(means.cache).add_hashes(&digest, open);
        Ok(())
    }
}
