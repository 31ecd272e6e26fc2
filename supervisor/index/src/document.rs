//! A page as it was written: strings, not yet understood. JSON and HTML pages both become this,
//! and this is what the cache keeps.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use url::Url;

/// Files on one page; the largest projects have some thousands.
pub(crate) const MOST_ENTRIES: usize = 200_000;

/// A page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Document {
    /// The URL that answered, without credentials.
    pub(crate) url: String,
    /// What it lists.
    pub(crate) entries: Vec<Entry>,
    /// What the page itself made us note.
    pub(crate) notes: Vec<String>,
}

/// One file of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// The name.
    pub(crate) filename: String,
    /// Absolute, without fragment.
    pub(crate) url: String,
    /// Digests by algorithm.
    pub(crate) hashes: BTreeMap<String, String>,
    /// Bytes.
    pub(crate) size: Option<u64>,
    /// Specifiers.
    pub(crate) requires_python: Option<String>,
    /// The reason if it was yanked.
    pub(crate) yanked: Option<String>,
    /// Digests of the metadata file, perhaps none, if there is such a file.
    pub(crate) metadata: Option<BTreeMap<String, String>>,
    /// RFC 3339.
    pub(crate) uploaded: Option<String>,
}

impl Document {
    /// Notes entries that make no sense at all.
    pub(crate) fn note_broken(&mut self, count: usize) {
        if count > 0 {
            self.notes
                .push(format!("{count} entries of the page make no sense"));
        }
    }
}

/// Splits `sha256=...` of a fragment or an attribute.
pub(crate) fn hash(text: &str) -> Option<(String, String)> {
    let (algorithm, digest) = text.split_once('=')?;
    let known = matches!(
        algorithm,
        "md5" | "sha1" | "sha224" | "sha256" | "sha384" | "sha512" | "blake2b" | "blake2b_256"
    );
    known.then(|| (algorithm.to_owned(), digest.to_owned()))
}

/// Resolves a link and takes its fragment off; `#a=b&c=d` are hashes.
pub(crate) fn resolve(base: &Url, link: &str) -> Option<(Url, BTreeMap<String, String>)> {
    let mut url = base.join(link.trim()).ok()?;
    let hashes = url
        .fragment()
        .into_iter()
        .flat_map(|fragment| fragment.split('&'))
        .filter_map(hash)
        .collect();
    url.set_fragment(None);
    // User information in a link is not ours to use.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    Some((url, hashes))
}

/// Refuses pages of a major version of the API that is not known (PEP 629).
pub(crate) fn check_api_version(version: &str) -> Result<(), String> {
    match version.split('.').next().map(str::parse::<u32>) {
        Some(Ok(1)) => Ok(()),
        _ => Err(format!(
            "it has version `{}` of the API, and only 1 is known",
            version.chars().take(20).collect::<String>().escape_debug()
        )),
    }
}
