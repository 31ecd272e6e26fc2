//! Files into the cache: hashed while they come, kept only if they are what was promised.

use std::io::{Read as _, Write as _};

use cache::{Bucket, CacheError, StagingFile};
use model::{Digest, Sha256};
use reqwest::StatusCode;
use reqwest::header::{self, HeaderMap, HeaderValue};
use sha2::Digest as _;
use url::Url;

use super::fetch::{add_validators, check_status, freshness_headers, now};
use super::{Client, Fetched, Shared, blocking};
use crate::body::Body;
use crate::error::shown;
use crate::freshness::Headers;
use crate::local::{self, local};
use crate::transport::{Answer, Configured};
use crate::{File, Freshness, IndexError};

/// Is told how many bytes came, and of how many.
pub(super) type OnBytes<'a> = &'a (dyn Fn(u64, Option<u64>) + Send + Sync);

/// A file to fetch and what was promised of it.
pub(super) struct Wanted<'a> {
    pub(super) url: &'a Url,
    pub(super) from: Configured,
    pub(super) sha256: Option<&'a Sha256>,
    pub(super) size: Option<u64>,
    pub(super) bucket: Bucket,
    /// What is known of it, if only another answer is of interest.
    pub(super) known: Option<&'a Freshness>,
}

/// What came, not yet in its bucket.
pub(super) struct Arrived {
    file: StagingFile,
    hasher: sha2::Sha256,
    size: u64,
}

/// What a server answered.
pub(super) enum Answered {
    /// The bytes, and how long they may be used.
    Came(Arrived, Headers),
    /// It is what is known already.
    Unchanged(Headers),
}

impl Client {
    /// Fetches a URL into a bucket, or finds it there by its digest.
    ///
    /// A URL that an index listed is fetched on the word of that index; any other one counts as
    /// configured by the user.
    ///
    /// # Errors
    /// If it can not be fetched, or is not what was expected; then nothing is kept.
    pub async fn download(
        &self,
        url: &Url,
        expected: Option<&Sha256>,
        bucket: Bucket,
        on_bytes: OnBytes<'_>,
    ) -> Result<Digest, IndexError> {
        let wanted = Wanted {
            url,
            from: self.shared.configured(url),
            sha256: expected,
            size: None,
            bucket,
            known: None,
        };
        self.shared.obtain_once(&wanted, on_bytes).await
    }

    /// Fetches a file of an index into a bucket, or finds it there; digest and size are checked, and
    /// what they are counts as the promise of the index.
    ///
    /// # Errors
    /// As [`Self::download`].
    pub async fn download_file(
        &self,
        file: &File,
        bucket: Bucket,
        on_bytes: OnBytes<'_>,
    ) -> Result<Digest, IndexError> {
        let wanted = Wanted {
            url: &file.url,
            from: Configured::index(&file.index),
            sha256: file.sha256.as_ref(),
            size: file.size,
            bucket,
            known: None,
        };
        let obtained = self.shared.obtain_once(&wanted, on_bytes).await;
        obtained.map_err(IndexError::of_a_promise)
    }
}

impl Shared {
    /// Obtains a file; who asks for the same at the same time waits and shares it.
    async fn obtain_once(
        &self,
        wanted: &Wanted<'_>,
        on_bytes: OnBytes<'_>,
    ) -> Result<Digest, IndexError> {
        let key = (
            wanted.url.to_string(),
            wanted.sha256.copied(),
            wanted.bucket,
        );
        let work = self.obtain(wanted, on_bytes);
        self.downloads.together(key, work).await
    }

    async fn obtain(
        &self,
        wanted: &Wanted<'_>,
        on_bytes: OnBytes<'_>,
    ) -> Result<Digest, IndexError> {
        if let Some(digest) = self.present(wanted).await? {
            return Ok(digest);
        }
        let (arrived, said) = match self.answer(wanted, on_bytes).await? {
            Answered::Came(arrived, said) => (arrived, said),
            // Nothing was said to be known.
            Answered::Unchanged(_) => {
                return Err(IndexError::Status {
                    url: shown(wanted.url),
                    status: 304,
                });
            }
        };
        let digest = self.keep(wanted, arrived).await?;
        // Whoever wants what is there now, whichever bytes these are, has its answer.
        let came = Fetched::Came(digest, Freshness::of(said, now()));
        self.again
            .note((wanted.url.to_string(), wanted.bucket), came);
        Ok(digest)
    }

    /// Asks for the bytes.
    pub(super) async fn answer(
        &self,
        wanted: &Wanted<'_>,
        on_bytes: OnBytes<'_>,
    ) -> Result<Answered, IndexError> {
        if wanted.url.scheme() == "file" {
            let arrived = self.copy(wanted).await?;
            Ok(Answered::Came(arrived, Headers::default()))
        } else {
            self.fetch(wanted, on_bytes).await
        }
    }

    /// Puts what came into its bucket if it is what was promised.
    pub(super) async fn keep(
        &self,
        wanted: &Wanted<'_>,
        arrived: Arrived,
    ) -> Result<Digest, IndexError> {
        let sha256 = Sha256::from_bytes(arrived.hasher.finalize().into());
        if let Some(expected) = wanted.sha256.filter(|expected| **expected != sha256) {
            return Err(IndexError::HashMismatch {
                url: shown(wanted.url),
                expected: Box::new(*expected),
                found: Box::new(sha256),
            });
        }
        if let Some(expected) = wanted.size.filter(|size| *size != arrived.size) {
            return Err(IndexError::SizeMismatch {
                url: shown(wanted.url),
                expected,
                found: arrived.size,
            });
        }
        let (cache, bucket) = (self.cache.clone(), wanted.bucket);
        let kept = blocking(move || cache.put_blob(bucket, arrived.file)).await??;
        Ok(kept)
    }

    /// Returns the digest of a sound blob that is already there.
    async fn present(&self, wanted: &Wanted<'_>) -> Result<Option<Digest>, IndexError> {
        let Some(sha256) = wanted.sha256.copied() else {
            return Ok(None);
        };
        let (cache, bucket) = (self.cache.clone(), wanted.bucket);
        blocking(move || {
            let size = std::fs::metadata(cache.blob_path(bucket, &sha256))
                .ok()?
                .len();
            let digest = Digest { sha256, size };
            cache.blob(bucket, &digest).map(|_| digest)
        })
        .await
    }

    async fn fetch(
        &self,
        wanted: &Wanted<'_>,
        on_bytes: OnBytes<'_>,
    ) -> Result<Answered, IndexError> {
        if self.transport.settings.offline {
            return Err(IndexError::Offline {
                url: shown(wanted.url),
            });
        }
        let mut attempt = 0;
        loop {
            match self.fetch_once(wanted, on_bytes).await {
                Ok(answered) => return Ok(answered),
                Err(error) => self.transport.pause(&mut attempt, error).await?,
            }
        }
    }

    async fn fetch_once(
        &self,
        wanted: &Wanted<'_>,
        on_bytes: OnBytes<'_>,
    ) -> Result<Answered, IndexError> {
        let _permit = self.transport.permit().await;
        let mut headers = HeaderMap::new();
        headers.insert(
            header::ACCEPT_ENCODING,
            HeaderValue::from_static("identity"),
        );
        add_validators(&mut headers, wanted.known);
        let mut url = Configured::url(wanted.url.clone()).url;
        url.set_fragment(None);
        let Answer { response, url } = self.transport.get(&url, &wanted.from, &headers).await?;
        let said = freshness_headers(&response);
        if wanted.known.is_some() && response.status() == StatusCode::NOT_MODIFIED {
            return Ok(Answered::Unchanged(said));
        }
        if !check_status(&response, &url)? {
            return Err(IndexError::Status {
                url: shown(&url),
                status: response.status().as_u16(),
            });
        }
        let limit = self.transport.settings.max_file_bytes;
        let mut body = Body::new(response, url, limit, false)?;
        let total = body.announced();
        let mut arrived = Arrived::start(self.cache.staging_file()?);
        while let Some(chunk) = body.next().await? {
            arrived.add(chunk.as_ref())?;
            on_bytes(arrived.size, total);
        }
        Ok(Answered::Came(arrived, said))
    }

    async fn copy(&self, wanted: &Wanted<'_>) -> Result<Arrived, IndexError> {
        let url = wanted.url.clone();
        let limit = self.transport.settings.max_file_bytes;
        let mut arrived = Arrived::start(self.cache.staging_file()?);
        blocking(move || {
            let (mut file, path) = local::open(&url)?;
            let mut buffer = vec![0; 128 * 1024];
            loop {
                let got = file
                    .read(&mut buffer)
                    .map_err(|error| local(&path, error))?;
                if got == 0 {
                    return Ok(arrived);
                }
                if arrived.size + got as u64 > limit {
                    return Err(IndexError::TooLarge {
                        url: shown(&url),
                        limit,
                        page: false,
                    });
                }
                arrived.add(&buffer[..got])?;
            }
        })
        .await?
    }
}

impl Arrived {
    fn start(file: StagingFile) -> Self {
        Self {
            file,
            hasher: sha2::Sha256::new(),
            size: 0,
        }
    }

    fn add(&mut self, bytes: &[u8]) -> Result<(), IndexError> {
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        self.file
            .write_all(bytes)
            .map_err(|error| CacheError::writing(self.file.path(), error).into())
    }
}
