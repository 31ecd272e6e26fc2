//! Pointers: which blob a place stands for, one small record a place.
//!
//! `pointers-v1/<digest of the index>/<project>/<version>.json` for files of an index,
//! `pointers-v1/url/<digest of the URL>.json` for URLs. Healing and freshness start from here.

use std::path::PathBuf;

use cache::{Bucket, Cache, CacheError};
use model::{Digest, PackageName, Sha256, Version};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::shown::shown_url;

/// What the record's form is called; a reader leaves others alone.
const SCHEMA: &str = "fumehood/pointer/1";
/// Letters of a version that may stand in a file name; longer ones are named by digest.
const LONGEST_VERSION: usize = 100;

/// What a place stood for when it was last fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointerRecord {
    schema: String,
    /// The blob.
    pub digest: Digest,
    /// The file's name, as the place calls it.
    pub filename: String,
    /// Where it came from, without credentials and query.
    pub url: String,
}

impl PointerRecord {
    /// Makes a record; the URL loses what is nobody's business.
    #[must_use]
    pub fn new(digest: Digest, filename: String, url: &Url) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            digest,
            filename,
            url: shown_url(url),
        }
    }
}

/// The pointers of a cache.
#[derive(Clone, Copy, Debug)]
pub struct Pointers<'a>(&'a Cache);

impl<'a> Pointers<'a> {
    /// Returns the pointers of `cache`.
    #[must_use]
    pub fn of(cache: &'a Cache) -> Self {
        Self(cache)
    }

    /// Returns what the sdist of a version on an index was; `index` is the digest of its
    /// canonical address.
    #[must_use]
    pub fn get(
        &self,
        index: &Sha256,
        name: &PackageName,
        version: &Version,
    ) -> Option<PointerRecord> {
        self.read(self.path(index, name, version))
    }

    /// Records what the sdist of a version on an index is.
    ///
    /// # Errors
    /// If it can not be written.
    pub fn put(
        &self,
        index: &Sha256,
        name: &PackageName,
        version: &Version,
        record: &PointerRecord,
    ) -> Result<(), CacheError> {
        self.0
            .write_record(&self.path(index, name, version), record)
    }

    /// Returns what a URL was when it was last fetched.
    #[must_use]
    pub fn get_url(&self, url: &Url) -> Option<PointerRecord> {
        self.read(self.url_path(url))
    }

    /// Records what a URL is.
    ///
    /// # Errors
    /// If it can not be written.
    pub fn put_url(&self, url: &Url, record: &PointerRecord) -> Result<(), CacheError> {
        self.0.write_record(&self.url_path(url), record)
    }

    fn read(&self, path: PathBuf) -> Option<PointerRecord> {
        self.0
            .read_record::<PointerRecord>(&path)
            .filter(|record| record.schema == SCHEMA)
    }

    fn path(&self, index: &Sha256, name: &PackageName, version: &Version) -> PathBuf {
        let mut file = version.to_string();
        if file.len() > LONGEST_VERSION {
            file = Sha256::of(file).to_string();
        }
        self.0
            .bucket(Bucket::Pointers)
            .join(index.to_string())
            .join(name.to_string())
            .join(format!("{file}.json"))
    }

    /// The key holds the query, for it may decide what comes, and never user information.
    fn url_path(&self, url: &Url) -> PathBuf {
        let mut key = url.clone();
        key.set_fragment(None);
        // Both fail only for URLs that can not have user information.
        let _ = key.set_username("");
        let _ = key.set_password(None);
        self.0
            .bucket(Bucket::Pointers)
            .join("url")
            .join(format!("{}.json", Sha256::of(key.as_str())))
    }
}
