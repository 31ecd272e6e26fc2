//! Bodies of answers: read with a limit, a least speed and gzip undone.

use std::io::Read as _;
use std::time::Duration;

use flate2::read::MultiGzDecoder;
use reqwest::Response;
use tokio::time::Instant;
use url::Url;

use crate::IndexError;
use crate::error::shown;

/// Bytes a second, measured from the start; a server that drips slower holds us up on purpose.
const LEAST_SPEED: u64 = 512;

/// Reads an answer piece by piece, never more than a limit, never for ever.
#[derive(Debug)]
pub(crate) struct Body {
    response: Response,
    url: Url,
    limit: u64,
    page: bool,
    received: u64,
    started: Instant,
    patience: Duration,
}

impl Body {
    /// Starts reading; refuses at once what announces itself as too large.
    pub(crate) fn new(
        response: Response,
        url: Url,
        limit: u64,
        page: bool,
    ) -> Result<Self, IndexError> {
        let body = Self {
            response,
            url,
            limit,
            page,
            received: 0,
            started: Instant::now(),
            patience: Duration::from_secs(30),
        };
        if body.announced().is_some_and(|length| length > limit) {
            return Err(body.too_large());
        }
        Ok(body)
    }

    /// Returns the announced length in bytes.
    pub(crate) fn announced(&self) -> Option<u64> {
        self.response.content_length()
    }

    /// Returns the next piece; none at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<impl AsRef<[u8]> + use<>>, IndexError> {
        let chunk = self.response.chunk().await;
        let Some(chunk) = chunk.map_err(|error| IndexError::transport(&self.url, error))? else {
            return Ok(None);
        };
        self.received += chunk.len() as u64;
        if self.received > self.limit {
            return Err(self.too_large());
        }
        if too_slow(self.received, self.started.elapsed(), self.patience) {
            return Err(IndexError::TimedOut {
                url: shown(&self.url),
            });
        }
        Ok(Some(chunk))
    }

    /// Reads everything and undoes gzip.
    pub(crate) async fn all(mut self) -> Result<Vec<u8>, IndexError> {
        let encoding = self
            .response
            .headers()
            .get(reqwest::header::CONTENT_ENCODING);
        let gzip = match encoding.map(|value| value.as_bytes()) {
            None | Some(b"identity" | b"") => false,
            Some(b"gzip" | b"x-gzip") => true,
            Some(_) => {
                return Err(IndexError::BadPage {
                    url: shown(&self.url),
                    why: "it has an encoding that was not asked for".to_owned(),
                });
            }
        };
        let mut bytes = Vec::new();
        while let Some(chunk) = self.next().await? {
            bytes.extend_from_slice(chunk.as_ref());
        }
        if gzip { self.gunzip(&bytes) } else { Ok(bytes) }
    }

    fn gunzip(&self, bytes: &[u8]) -> Result<Vec<u8>, IndexError> {
        let mut plain = Vec::new();
        MultiGzDecoder::new(bytes)
            .take(self.limit + 1)
            .read_to_end(&mut plain)
            .map_err(|error| IndexError::BadPage {
                url: shown(&self.url),
                why: format!("its compression is broken: {error}"),
            })?;
        if plain.len() as u64 > self.limit {
            return Err(self.too_large());
        }
        Ok(plain)
    }

    fn too_large(&self) -> IndexError {
        IndexError::TooLarge {
            url: shown(&self.url),
            limit: self.limit,
            page: self.page,
        }
    }
}

/// Returns whether a server is so slow, after the time of patience, that we give up.
fn too_slow(received: u64, elapsed: Duration, patience: Duration) -> bool {
    elapsed > patience && received / LEAST_SPEED < elapsed.as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dripping_ends_and_slow_links_do_not() {
        let patience = Duration::from_secs(30);
        assert!(!too_slow(1, Duration::from_secs(29), patience));
        assert!(too_slow(1000, Duration::from_secs(31), patience));
        assert!(!too_slow(10_000 * 600, Duration::from_secs(600), patience));
        assert!(too_slow(100 * 600, Duration::from_secs(600), patience));
    }
}
