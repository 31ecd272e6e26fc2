//! Pages and small files over HTTP: conditional requests, the store, content types.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use model::PackageName;
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Response, StatusCode};
use url::Url;

use super::{Shared, blocking};
use crate::body::Body;
use crate::document::Document;
use crate::error::shown;
use crate::freshness::{Freshness, Headers};
use crate::store::StoredPage;
use crate::transport::{Answer, Configured};
use crate::{CacheControl, IndexError, IndexUrl, html, json};

/// JSON first, HTML accepted (PEP 691).
const ACCEPT: &str = "application/vnd.pypi.simple.v1+json, \
    application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01";

/// What became of asking for a page.
enum Fetched {
    Page(Box<Document>, Freshness),
    NotModified(Headers),
    Missing,
}

impl Shared {
    /// Returns a page from the store or from its index; none if the index does not have it. One
    /// client asks once.
    pub(super) async fn document(
        &self,
        index: &IndexUrl,
        project: Option<&PackageName>,
        url: Url,
        path: PathBuf,
    ) -> Result<Option<Document>, IndexError> {
        let key = path.clone();
        let work = async {
            let again = self.transport.settings.refresh.covers(project);
            let document = self.stored_or_asked(index, url, &path, again).await?;
            Ok::<_, IndexError>(document.map(Arc::new))
        };
        let document = self.pages.once(key, work).await?;
        Ok(document.map(|document| (*document).clone()))
    }

    async fn stored_or_asked(
        &self,
        index: &IndexUrl,
        url: Url,
        path: &Path,
        again: bool,
    ) -> Result<Option<Document>, IndexError> {
        let (store, at) = (self.store.clone(), path.to_owned());
        let stored = blocking(move || store.page(&at)).await?;
        let settings = &self.transport.settings;
        if settings.offline {
            return stored
                .map(|page| Some(page.document))
                .ok_or_else(|| IndexError::Offline { url: shown(&url) });
        }
        let control = CacheControl::of(&settings.cache_control, index);
        let is_fresh = |freshness: &Freshness| match control {
            Some(control) => freshness.is_fresh_by(control, now()),
            None => freshness.is_fresh(now()),
        };
        if let Some(page) = &stored
            && !again
            && is_fresh(&page.freshness)
        {
            return Ok(stored.map(|page| page.document));
        }
        let from = Configured::index(index);
        let (document, mut freshness) = match self.ask(&url, &from, stored.as_ref()).await? {
            Fetched::Missing => return Ok(None),
            Fetched::Page(document, freshness) => (*document, freshness),
            Fetched::NotModified(headers) => {
                let page = stored.ok_or_else(|| IndexError::BadPage {
                    url: shown(&url),
                    why: "it is said not to be modified, and was never fetched".to_owned(),
                })?;
                let renewed = page.freshness.renewed(headers, now());
                if control.is_none() && renewed.adds_nothing(&page.freshness, now()) {
                    return Ok(Some(page.document));
                }
                (page.document, renewed)
            }
        };
        if let Some(control) = control {
            freshness.override_storing(control);
        }
        let (store, at, kept) = (self.store.clone(), path.to_owned(), document.clone());
        blocking(move || store.keep_page(&at, freshness, kept)).await?;
        Ok(Some(document))
    }

    async fn ask(
        &self,
        url: &Url,
        from: &Configured,
        stored: Option<&StoredPage>,
    ) -> Result<Fetched, IndexError> {
        let headers = conditions(stored);
        let mut attempt = 0;
        loop {
            match self.ask_once(url, from, &headers).await {
                Ok(fetched) => return Ok(fetched),
                Err(error) => self.transport.pause(&mut attempt, error).await?,
            }
        }
    }

    async fn ask_once(
        &self,
        url: &Url,
        from: &Configured,
        headers: &HeaderMap,
    ) -> Result<Fetched, IndexError> {
        let _permit = self.transport.permit().await;
        let Answer { response, url } = self.transport.get(url, from, headers).await?;
        if response.status() == StatusCode::NOT_MODIFIED {
            return Ok(Fetched::NotModified(freshness_headers(&response)));
        }
        if !check_status(&response, &url)? {
            return Ok(Fetched::Missing);
        }
        let freshness = Freshness::of(freshness_headers(&response), now());
        let kind = text(&response, header::CONTENT_TYPE).unwrap_or_default();
        let limit = self.transport.settings.max_page_bytes;
        let bytes = Body::new(response, url.clone(), limit, true)?.all().await?;
        let place = shown(&url);
        let document = blocking(move || parse(&kind, &bytes, &url)).await?;
        let document = document.map_err(|why| IndexError::BadPage { url: place, why })?;
        Ok(Fetched::Page(Box::new(document), freshness))
    }

    /// Returns a small file; none if it is not there.
    pub(super) async fn bytes(
        &self,
        url: &Url,
        from: &Configured,
        limit: u64,
    ) -> Result<Option<Vec<u8>>, IndexError> {
        if self.transport.settings.offline {
            return Err(IndexError::Offline { url: shown(url) });
        }
        let mut attempt = 0;
        loop {
            match self.bytes_once(url, from, limit).await {
                Ok(bytes) => return Ok(bytes),
                Err(error) => self.transport.pause(&mut attempt, error).await?,
            }
        }
    }

    async fn bytes_once(
        &self,
        url: &Url,
        from: &Configured,
        limit: u64,
    ) -> Result<Option<Vec<u8>>, IndexError> {
        let _permit = self.transport.permit().await;
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        let Answer { response, url } = self.transport.get(url, from, &headers).await?;
        if !check_status(&response, &url)? {
            return Ok(None);
        }
        Body::new(response, url, limit, true)?.all().await.map(Some)
    }
}

/// Returns whether there is something; 404 and 410 mean that there is not.
pub(super) fn check_status(response: &Response, url: &Url) -> Result<bool, IndexError> {
    let status = response.status();
    let url = || shown(url);
    match status.as_u16() {
        200 => Ok(true),
        404 | 410 => Ok(false),
        status @ (401 | 403 | 407) => Err(IndexError::Unauthorized { url: url(), status }),
        status => Err(IndexError::Status { url: url(), status }),
    }
}

fn conditions(stored: Option<&StoredPage>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, HeaderValue::from_static(ACCEPT));
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    add_validators(&mut headers, stored.map(|page| &page.freshness));
    headers
}

/// Asks for an answer only if it is another one than that which is known.
pub(super) fn add_validators(headers: &mut HeaderMap, known: Option<&Freshness>) {
    let mut add = |name: HeaderName, value: Option<&String>| {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
            headers.insert(name, value);
        }
    };
    add(header::IF_NONE_MATCH, known.and_then(|it| it.etag.as_ref()));
    add(
        header::IF_MODIFIED_SINCE,
        known.and_then(|it| it.last_modified.as_ref()),
    );
}

pub(super) fn freshness_headers(response: &Response) -> Headers {
    let date = text(response, header::DATE).and_then(|text| rfc2822::parse(&text).ok());
    Headers {
        cache_control: text(response, header::CACHE_CONTROL),
        age: text(response, header::AGE).and_then(|age| age.trim().parse().ok()),
        date: date.map(|date| date.timestamp().as_second()),
        etag: text(response, header::ETAG),
        last_modified: text(response, header::LAST_MODIFIED),
    }
}

fn text(response: &Response, name: HeaderName) -> Option<String> {
    let value = response.headers().get(name)?.to_str().ok()?;
    Some(value.to_owned())
}

/// Reads a page by its content type, or by its first character if it has none.
fn parse(content_type: &str, bytes: &[u8], url: &Url) -> Result<Document, String> {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    match kind.to_ascii_lowercase().as_str() {
        "application/vnd.pypi.simple.v1+json"
        | "application/vnd.pypi.simple.latest+json"
        | "application/json" => json::parse(bytes, url),
        "application/vnd.pypi.simple.v1+html"
        | "application/vnd.pypi.simple.latest+html"
        | "application/xhtml+xml"
        | "text/html" => html::parse(bytes, url),
        "" => match bytes.trim_ascii_start().first() {
            Some(b'{') => json::parse(bytes, url),
            _ => html::parse(bytes, url),
        },
        other => {
            let other: String = other.chars().take(60).collect();
            Err(format!("its content type is `{}`", other.escape_debug()))
        }
    }
}

pub(super) fn now() -> i64 {
    Timestamp::now().as_second()
}
