//! Pages in the cache: what an index said, with how long it may be used.

use std::path::{Path, PathBuf};

use cache::{Bucket, Cache};
use model::Sha256;
use serde::{Deserialize, Serialize};

use crate::document::Document;
use crate::freshness::Freshness;

/// Bumped when a field changes its meaning; others are ignored or defaulted.
const SCHEMA: u32 = 1;

/// The folder of metadata of files; a page's folder is called by a digest.
const METADATA: &str = "metadata";

/// A page in the cache.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct StoredPage {
    schema: u32,
    pub(crate) freshness: Freshness,
    pub(crate) document: Document,
}

/// A metadata file in the cache.
#[derive(Debug, Serialize, Deserialize)]
struct StoredMetadata {
    schema: u32,
    text: String,
}

/// Looks whether a file of [`Bucket::Simple`] is what its place says: a page, or the metadata of a file.
///
/// # Errors
/// If not.
pub fn check_page(cache: &Cache, path: &Path) -> Result<(), String> {
    let above = path.parent().and_then(Path::file_name);
    let is_sound = if above.is_some_and(|above| above == METADATA) {
        let kept = cache.read_record::<StoredMetadata>(path);
        kept.is_some_and(|kept| kept.schema == SCHEMA)
    } else {
        let page = cache.read_record::<StoredPage>(path);
        page.is_some_and(|page| page.schema == SCHEMA)
    };
    let wrong = || "it is neither a page nor metadata".to_owned();
    is_sound.then_some(()).ok_or_else(wrong)
}

/// The places in [`Bucket::Simple`].
///
/// `simple-v1/<digest of the index>/<project>.json` and `simple-v1/metadata/<digest>.json`
#[derive(Clone, Debug)]
pub(crate) struct Store {
    cache: Cache,
}

impl Store {
    pub(crate) fn new(cache: Cache) -> Self {
        Self { cache }
    }

    /// Returns where a page is kept.
    pub(crate) fn page_path(&self, index: &Sha256, page: &str) -> PathBuf {
        self.cache
            .bucket(Bucket::Simple)
            .join(index.to_string())
            .join(format!("{page}.json"))
    }

    pub(crate) fn page(&self, path: &Path) -> Option<StoredPage> {
        let page: StoredPage = self.cache.read_record(path)?;
        (page.schema == SCHEMA).then_some(page)
    }

    /// Keeps a page. A failure costs time later, nothing else.
    pub(crate) fn keep_page(&self, path: &Path, freshness: Freshness, document: Document) {
        if freshness.no_store {
            return;
        }
        let page = StoredPage {
            schema: SCHEMA,
            freshness,
            document,
        };
        if let Err(error) = self.cache.write_record(path, &page) {
            tracing::debug!(path = %path.display(), %error, "a page is not kept");
        }
    }

    fn metadata_path(&self, key: &Sha256) -> PathBuf {
        self.cache
            .bucket(Bucket::Simple)
            .join(METADATA)
            .join(format!("{key}.json"))
    }

    /// Returns metadata by the digest of the metadata or of its file.
    pub(crate) fn metadata(&self, key: &Sha256) -> Option<Vec<u8>> {
        let kept: StoredMetadata = self.cache.read_record(&self.metadata_path(key))?;
        (kept.schema == SCHEMA).then(|| kept.text.into_bytes())
    }

    pub(crate) fn keep_metadata(&self, key: &Sha256, bytes: &[u8]) {
        // What is not UTF-8 is no metadata anybody could use twice.
        let Ok(text) = std::str::from_utf8(bytes) else {
            return;
        };
        let record = StoredMetadata {
            schema: SCHEMA,
            text: text.to_owned(),
        };
        let path = self.metadata_path(key);
        if let Err(error) = self.cache.write_record(&path, &record) {
            tracing::debug!(path = %path.display(), %error, "metadata is not kept");
        }
    }
}
