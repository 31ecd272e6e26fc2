//! Files that were fetched before: asked for again only when they are no longer fresh, with the
//! validators of the earlier answer, so that what did not change does not come twice.

use cache::Bucket;
use model::Digest;
use url::Url;

use super::download::{Answered, OnBytes, Wanted};
use super::fetch::now;
use super::{Client, Shared};
use crate::{Freshness, IndexError};

/// What became of asking for a file again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// It is what it was (status 304), and this fresh now.
    Unchanged(Freshness),
    /// It came and is in its bucket.
    Came(Digest, Freshness),
}

impl Client {
    /// Asks for a URL of the user's; `known` is what was said when it was fetched the last time.
    /// One client asks once, and not at all for what [`Self::download`] has just brought.
    ///
    /// # Errors
    /// If it can not be fetched.
    pub async fn download_again(
        &self,
        url: &Url,
        known: Option<&Freshness>,
        bucket: Bucket,
        on_bytes: OnBytes<'_>,
    ) -> Result<Fetched, IndexError> {
        let wanted = Wanted {
            url,
            from: self.shared.configured(url),
            sha256: None,
            size: None,
            bucket,
            known: known.filter(|known| known.can_be_validated()),
        };
        let work = self.shared.ask_again(&wanted, on_bytes);
        self.shared
            .again
            .once((url.to_string(), bucket), work)
            .await
    }

    /// Whether an answer may be used now without asking.
    #[must_use]
    pub fn is_fresh(&self, freshness: &Freshness) -> bool {
        freshness.is_fresh(now())
    }
}

impl Shared {
    async fn ask_again(
        &self,
        wanted: &Wanted<'_>,
        on_bytes: OnBytes<'_>,
    ) -> Result<Fetched, IndexError> {
        match self.answer(wanted, on_bytes).await? {
            Answered::Unchanged(said) => {
                let renewed = match wanted.known {
                    Some(known) => known.renewed(said, now()),
                    None => Freshness::of(said, now()),
                };
                Ok(Fetched::Unchanged(renewed))
            }
            Answered::Came(arrived, said) => {
                let digest = self.keep(wanted, arrived).await?;
                Ok(Fetched::Came(digest, Freshness::of(said, now())))
            }
        }
    }
}
