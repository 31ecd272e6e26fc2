//! The client: pages, metadata and files, through the cache.

mod again;
mod download;
mod fetch;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use cache::{Bucket, Cache};
use model::{Digest, PackageName, Sha256};
use tokio::sync::Semaphore;
use url::Url;

use crate::address::is_private_literal;
use crate::document::Document;
use crate::error::shown;
use crate::flights::Flights;
use crate::page::{self, Reading};
use crate::redirect::Reach;
use crate::store::Store;
use crate::transport::{Configured, Transport};
use crate::{ClientSettings, File, FindLinks, IndexError, IndexUrl, MetadataFile, Page, local};

pub use again::Fetched;

/// Bytes of a metadata file.
const LARGEST_METADATA: u64 = 4 * 1024 * 1024;

/// Asks indexes. Cloning is cheap; clones share connections, settings and counters.
///
/// One client asks about a page once and shares the answer, so that everything in one run sees the
/// same index; a later run makes another client.
#[derive(Clone, Debug)]
pub struct Client {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    transport: Transport,
    cache: Cache,
    store: Store,
    /// Which index led to an origin, so that its files are fetched on its word: with its
    /// credentials on its own origin, and not inside if it is public.
    leads: Mutex<HashMap<String, IndexUrl>>,
    /// Pages of this run by their place in the store.
    pages: Flights<PathBuf, Option<Arc<Document>>>,
    /// Metadata files of this run by their URL.
    metadata: Flights<String, Option<Arc<Vec<u8>>>>,
    /// Files on their way.
    downloads: Flights<(String, Option<Sha256>, Bucket), Digest>,
    /// What lies behind URLs, as it was asked for in this run.
    again: Flights<(String, Bucket), Fetched>,
}

impl Client {
    /// Makes a client. Connections and certificates wait until they are needed.
    ///
    /// # Errors
    /// If a file of certificates does not exist.
    pub fn new(settings: ClientSettings, cache: Cache) -> Result<Self, IndexError> {
        for path in [&settings.ca_file, &settings.client_cert]
            .into_iter()
            .flatten()
        {
            std::fs::metadata(path).map_err(|error| local::local(path, error))?;
        }
        Ok(Self {
            shared: Arc::new(Shared {
                transport: Transport::new(settings),
                store: Store::new(cache.clone()),
                cache,
                leads: Mutex::default(),
                pages: Flights::default(),
                metadata: Flights::default(),
                downloads: Flights::default(),
                again: Flights::default(),
            }),
        })
    }

    /// Returns the login that the netrc file has for a host by its name, for programs that reach the
    /// host themselves. The default entry, which is for any host, is not given away.
    #[must_use]
    pub fn login(&self, host: &str) -> Option<(String, String)> {
        let found = self.shared.transport.netrc(host)?;
        let password = found.password().unwrap_or_default();
        Some((found.username().to_owned(), password.to_owned()))
    }

    /// Whether anybody may fetch a file: it and its index lie on the network, and no login for either is known.
    #[must_use]
    pub fn is_public(&self, file: &File) -> bool {
        let transport = &self.shared.transport;
        // Whoever shows a certificate may be told what others are not.
        if transport.settings.client_cert.is_some() {
            return false;
        }
        let is_public = |place: &Configured, url: &url::Url| {
            matches!(url.scheme(), "http" | "https") && !transport.has_login(place)
        };
        let index = Configured::index(&file.index);
        let own = Configured::url(file.url.clone());
        is_public(&index, file.index.url()) && is_public(&own, &file.url)
    }

    /// Returns the page of a project; none if the index does not know it.
    ///
    /// It comes from the cache while it is fresh, and after the index said that it did not change.
    ///
    /// # Errors
    /// If the index fails, answers with something else, or is not to be asked.
    pub async fn page(
        &self,
        index: &IndexUrl,
        name: &PackageName,
    ) -> Result<Option<Page>, IndexError> {
        let document = match index.folder() {
            Some(root) => {
                let limit = self.settings().max_page_bytes;
                let folder = root.join(name.as_ref());
                blocking(move || local::page(&folder, limit)).await??
            }
            None => {
                let path = self.shared.store.page_path(&index.digest(), name.as_ref());
                let url = index.project(name);
                self.shared.document(index, Some(name), url, path).await?
            }
        };
        match document {
            Some(document) => Ok(Some(self.understand(document, index, Some(name)).await)),
            None => Ok(None),
        }
    }

    /// Returns every file of a folder or page of links, of all projects.
    ///
    /// A folder that does not exist is an empty page with a note.
    ///
    /// # Errors
    /// If a page can not be fetched or read.
    pub async fn find_links(&self, links: &FindLinks) -> Result<Page, IndexError> {
        let limit = self.settings().max_page_bytes;
        let index = links.address();
        let document = match links.path() {
            Some(path) => {
                let path = path.to_owned();
                blocking(move || local::links(&path, limit)).await??
            }
            None => {
                let path = self.shared.store.page_path(&index.digest(), "_links");
                self.shared
                    .document(index, None, index.url().clone(), path)
                    .await?
            }
        };
        match document {
            Some(document) => Ok(self.understand(document, index, None).await),
            None => Ok(Page {
                files: Vec::new(),
                notes: vec![format!("there is nothing at `{links}`")],
            }),
        }
    }

    /// Returns the metadata that lies beside a file (PEP 658); none if there is none.
    ///
    /// # Errors
    /// If it can not be fetched, or its digest is not the one that the index promises.
    pub async fn metadata(&self, file: &File) -> Result<Option<Vec<u8>>, IndexError> {
        let Some(metadata) = file.metadata.as_ref() else {
            return Ok(None);
        };
        let key = metadata.sha256.or(file.sha256);
        let kept = key.and_then(|key| self.shared.store.metadata(&key));
        let sound = |bytes: &Vec<u8>| {
            metadata
                .sha256
                .is_none_or(|sha256| Sha256::of(bytes) == sha256)
        };
        if let Some(bytes) = kept.filter(sound) {
            return Ok(Some(bytes));
        }
        let work = self.fetch_metadata(file, metadata, key);
        let brought = self.shared.metadata.together(file.url.to_string(), work);
        Ok(brought.await?.map(|bytes| bytes.to_vec()))
    }

    async fn fetch_metadata(
        &self,
        file: &File,
        metadata: &MetadataFile,
        key: Option<Sha256>,
    ) -> Result<Option<Arc<Vec<u8>>>, IndexError> {
        let mut url = file.url.clone();
        url.set_path(&format!("{}.metadata", url.path()));
        let from = Configured::index(&file.index);
        let Some(bytes) = self.shared.bytes(&url, &from, LARGEST_METADATA).await? else {
            return Ok(None);
        };
        let found = Sha256::of(&bytes);
        if let Some(expected) = metadata.sha256.filter(|expected| *expected != found) {
            return Err(IndexError::Lied {
                url: shown(&url),
                expected: Box::new(expected),
                found: Box::new(found),
            });
        }
        if let Some(key) = key {
            self.shared.store.keep_metadata(&key, &bytes);
        }
        Ok(Some(Arc::new(bytes)))
    }

    /// Returns how many HTTP requests were sent so far.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.shared.transport.requests()
    }

    /// Returns the settings.
    #[must_use]
    pub fn settings(&self) -> &ClientSettings {
        &self.shared.transport.settings
    }

    async fn understand(
        &self,
        document: Document,
        index: &IndexUrl,
        project: Option<&PackageName>,
    ) -> Page {
        // Whether the index itself is private matters only if a link is, and may need DNS.
        let inside = document.entries.iter().any(|entry| {
            Url::parse(&entry.url).is_ok_and(|url| is_private_literal(&url) == Some(true))
        });
        let reach = match is_private_literal(index.url()) {
            Some(private) => Reach::of(private),
            None if inside && !self.settings().offline => {
                self.shared.transport.reach(index.url()).await
            }
            None => Reach::PublicOnly,
        };
        let reading = Reading {
            index,
            project,
            reach,
        };
        let page = page::understand(document, &reading);
        self.shared.remember_leads(&page, index);
        page
    }
}

impl Shared {
    fn remember_leads(&self, page: &Page, index: &IndexUrl) {
        let mut leads = self.leads.lock().unwrap_or_else(PoisonError::into_inner);
        for file in &page.files {
            let origin = file.url.origin();
            if origin.is_tuple() {
                leads
                    .entry(origin.ascii_serialization())
                    .or_insert_with(|| index.clone());
            }
        }
    }

    /// Returns on whose word a URL is fetched: its own if it brings credentials or if no index led
    /// to its origin.
    fn configured(&self, url: &Url) -> Configured {
        let own = Configured::url(url.clone());
        if own.credentials.is_some() {
            return own;
        }
        let leads = self.leads.lock().unwrap_or_else(PoisonError::into_inner);
        leads
            .get(&url.origin().ascii_serialization())
            .map_or(own, Configured::index)
    }
}

/// How many wait for the disk at a time. Each takes a thread while it does, a new one if none is idle.
static AT_THE_DISK: Semaphore = Semaphore::const_new(8);

/// Runs something that waits for the disk, and for nothing else, where it does not hold up others.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, IndexError> {
    // Nobody closes it.
    let _permit = AT_THE_DISK.acquire().await;
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|source| IndexError::Lost { source })
}
