//! Pointers: which blob a place stands for, one small record a place.
//!
//! `pointers-v1/<digest of the index>/<project>/<version>.json` for files of an index,
//! `pointers-v1/url/<digest of the URL>.json` for URLs, `pointers-v1/path/<digest of the path>.json`
//! for local archives and folders. Healing and freshness start from here.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use cache::{Bucket, Cache, CacheError};
use index::Freshness;
use model::{Digest, PackageName, Sha256, Version};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::names::printable;
use crate::shown::shown_url;
use crate::snapshot::{Snapshot, Verdict};

/// What the record's form is called; a reader leaves others alone.
const SCHEMA: &str = "fumehood/pointer/1";
/// Letters of a version that may stand in a file name; longer ones are named by digest.
const LONGEST_VERSION: usize = 100;
/// What a place stood for before is remembered for pruning, this often.
const MOST_FORMER: usize = 50;

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
    /// How long this holds, and how to ask whether it still does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freshness: Option<Freshness>,
    /// What it stood for before, the latest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<Sha256>,
}

/// What a local archive or folder was when its bytes were read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LocalRecord {
    schema: String,
    pub(crate) digest: Digest,
    /// For people.
    path: String,
    /// What it looked like, where a look tells.
    pub(crate) snapshot: Option<Snapshot>,
    /// Folders that were left out of a folder.
    #[serde(default)]
    pub(crate) exclusions: Vec<PathBuf>,
    /// What stands in for a folder's `.git`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) repository: Option<Sha256>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    former: Vec<Sha256>,
}

impl LocalRecord {
    /// Makes a record that follows on `known`.
    pub(crate) fn new(
        digest: Digest,
        path: &Path,
        snapshot: Option<Snapshot>,
        known: Option<&Self>,
    ) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            digest,
            path: printable(&path.to_string_lossy()),
            snapshot,
            exclusions: Vec::new(),
            repository: None,
            former: known.map_or_else(Vec::new, |known| {
                former(digest, known.digest, &known.former)
            }),
        }
    }
}

impl LocalRecord {
    /// Compares what it looked like with `now`.
    pub(crate) fn looks_like(&self, now: &Snapshot) -> Verdict {
        self.snapshot
            .as_ref()
            .map_or(Verdict::Changed, |then| then.compare(now))
    }
}

/// Returns what a place stood for before that stands for `now`.
#[must_use]
pub fn former(now: Digest, known: Digest, before: &[Sha256]) -> Vec<Sha256> {
    std::iter::once(&known.sha256)
        .chain(before)
        .filter(|digest| **digest != now.sha256)
        .take(MOST_FORMER)
        .copied()
        .collect()
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
            freshness: None,
            former: Vec::new(),
        }
    }

    /// Takes over the past of the record that this one replaces.
    pub(crate) fn follow(&mut self, known: Option<&Self>) {
        if let Some(known) = known {
            self.former = former(self.digest, known.digest, &known.former);
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

    /// Returns what a local archive or folder was.
    pub(crate) fn get_path(&self, path: &Path) -> Option<LocalRecord> {
        self.0
            .read_record::<LocalRecord>(&self.local_path(path))
            .filter(|record| record.schema == SCHEMA)
    }

    /// Records what a local archive or folder is.
    ///
    /// # Errors
    /// If it can not be written.
    pub(crate) fn put_path(&self, path: &Path, record: &LocalRecord) -> Result<(), CacheError> {
        self.0.write_record(&self.local_path(path), record)
    }

    /// Looks whether the pointer in a file is one of the kind that lies there.
    ///
    /// # Errors
    /// If not.
    pub fn check(&self, path: &Path) -> Result<(), String> {
        let inside = path.strip_prefix(self.0.bucket(Bucket::Pointers));
        let kind = inside.ok().and_then(|inside| inside.iter().next());
        let is_sound = match kind.and_then(|kind| kind.to_str()) {
            Some("path") => {
                let record = self.0.read_record::<LocalRecord>(path);
                record.is_some_and(|record| record.schema == SCHEMA)
            }
            _ => self.read(path.to_owned()).is_some(),
        };
        let wrong = || "it is not what is written here".to_owned();
        is_sound.then_some(()).ok_or_else(wrong)
    }

    fn local_path(&self, path: &Path) -> PathBuf {
        let key = Sha256::of(path.as_os_str().as_bytes());
        self.0
            .bucket(Bucket::Pointers)
            .join("path")
            .join(format!("{key}.json"))
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
