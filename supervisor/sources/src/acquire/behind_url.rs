//! What lies behind a URL of the user's. Without a digest the bytes may change: then it is asked as
//! HTTP says, and what changed is a new revision, beside which the old one stays.

use cache::Bucket;
use index::Fetched;
use model::{Digest, Sha256};
use url::Url;

use super::{Means, sound};
use crate::names::printable;
use crate::shown::last_segment;
use crate::{PointerRecord, Pointers, SourceError};

/// A URL, whether it is asked however fresh the last answer is, and where its bytes are kept.
pub(super) struct Place<'a> {
    pub(super) url: &'a Url,
    pub(super) again: bool,
    pub(super) bucket: Bucket,
}

impl Place<'_> {
    /// Locates the bytes of this digest, which is all that counts: nobody is asked about
    /// freshness. Returns also whether they are in the cache.
    pub(super) async fn of_digest(
        &self,
        means: &Means<'_>,
        expected: Sha256,
    ) -> Result<(Digest, bool), SourceError> {
        let pointers = Pointers::of(means.cache);
        let known = pointers.get_url(self.url);
        if let Some(record) = known.as_ref()
            && record.digest.sha256 == expected
        {
            return Ok((record.digest, false));
        }
        if let Some(digest) = sound(means.cache, self.bucket, expected).await? {
            return Ok((digest, true));
        }
        let digest = means
            .client
            .download(self.url, Some(&expected), self.bucket, means.on_bytes)
            .await?;
        self.point(means, known.as_ref(), digest, None)?;
        Ok((digest, true))
    }

    /// Locates what is there.
    pub(super) async fn as_it_is(&self, means: &Means<'_>) -> Result<(Digest, bool), SourceError> {
        let known = Pointers::of(means.cache).get_url(self.url);
        let offline = means.client.settings().offline;
        let freshness = known.as_ref().and_then(|record| record.freshness.as_ref());
        let is_fresh = freshness.is_some_and(|freshness| means.client.is_fresh(freshness));
        if let Some(record) = &known
            && (offline || is_fresh && !self.again)
        {
            return Ok((record.digest, false));
        }
        let answer = means
            .client
            .download_again(self.url, freshness, self.bucket, means.on_bytes)
            .await?;
        match (answer, &known) {
            (Fetched::Unchanged(freshness), Some(record)) => {
                self.point(means, known.as_ref(), record.digest, Some(freshness))?;
                Ok((record.digest, false))
            }
            (Fetched::Came(digest, freshness), _) => {
                self.point(means, known.as_ref(), digest, Some(freshness))?;
                Ok((digest, true))
            }
            // Only what is known is asked about with validators.
            (Fetched::Unchanged(_), None) => Err(SourceError::Gone {
                what: crate::shown::shown_url(self.url),
            }),
        }
    }

    fn point(
        &self,
        means: &Means<'_>,
        known: Option<&PointerRecord>,
        digest: Digest,
        freshness: Option<index::Freshness>,
    ) -> Result<(), SourceError> {
        let filename = printable(&last_segment(self.url));
        let mut record = PointerRecord::new(digest, filename, self.url);
        record.freshness = freshness;
        record.follow(known);
        Ok(Pointers::of(means.cache).put_url(self.url, &record)?)
    }
}
