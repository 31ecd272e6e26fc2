//! Project pages in JSON: PEP 691, with PEP 700 (size, upload time) and PEP 714 (metadata keys).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use url::Url;

use crate::document::{self, Document, Entry, MOST_ENTRIES};

#[derive(Deserialize)]
struct JsonPage {
    meta: Option<Meta>,
    files: Vec<JsonItem>,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(rename = "api-version")]
    api_version: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum JsonItem {
    File(Box<JsonFile>),
    Broken(IgnoredAny),
}

#[derive(Deserialize)]
struct JsonFile {
    filename: String,
    url: String,
    #[serde(default)]
    hashes: BTreeMap<String, String>,
    #[serde(default, rename = "requires-python")]
    requires_python: Option<String>,
    #[serde(default)]
    yanked: Option<BoolOr<String>>,
    #[serde(default)]
    size: Option<u64>,
    #[serde(default, rename = "upload-time")]
    upload_time: Option<String>,
    #[serde(default, rename = "core-metadata")]
    core_metadata: Option<BoolOr<BTreeMap<String, String>>>,
    #[serde(default, rename = "dist-info-metadata")]
    dist_info_metadata: Option<BoolOr<BTreeMap<String, String>>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum BoolOr<T> {
    Bool(bool),
    Value(T),
}

impl<T: Default> BoolOr<T> {
    fn value(self) -> Option<T> {
        match self {
            Self::Bool(false) => None,
            Self::Bool(true) => Some(T::default()),
            Self::Value(value) => Some(value),
        }
    }
}

/// Reads a page that came from `url`.
///
/// # Errors
/// In words: if it is no such page, or of an unknown major version.
pub(crate) fn parse(bytes: &[u8], url: &Url) -> Result<Document, String> {
    let page: JsonPage = serde_json::from_slice(bytes)
        .map_err(|error| format!("it is not JSON of PEP 691: {error}"))?;
    if let Some(version) = page.meta.and_then(|meta| meta.api_version) {
        document::check_api_version(&version)?;
    }
    if page.files.len() > MOST_ENTRIES {
        return Err(format!("it lists more than {MOST_ENTRIES} files"));
    }
    let total = page.files.len();
    let mut read = Document {
        url: url.to_string(),
        ..Document::default()
    };
    read.entries = page
        .files
        .into_iter()
        .filter_map(|item| match item {
            JsonItem::File(file) => entry(*file, url),
            JsonItem::Broken(IgnoredAny) => None,
        })
        .collect();
    read.note_broken(total - read.entries.len());
    Ok(read)
}

fn entry(file: JsonFile, base: &Url) -> Option<Entry> {
    let (url, fragment) = document::resolve(base, &file.url)?;
    let mut hashes = file.hashes;
    for (algorithm, digest) in fragment {
        hashes.entry(algorithm).or_insert(digest);
    }
    Some(Entry {
        filename: file.filename,
        url: url.into(),
        hashes,
        size: file.size,
        requires_python: file.requires_python,
        yanked: file.yanked.and_then(BoolOr::value),
        metadata: file
            .core_metadata
            .or(file.dist_info_metadata)
            .and_then(BoolOr::value),
        uploaded: file.upload_time,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> Url {
        Url::parse("https://example.invalid/simple/foo/").expect("a URL")
    }

    #[test]
    fn every_key_is_read_and_links_are_relative_to_the_page() {
        let page = br#"{"meta": {"api-version": "1.3"}, "name": "foo", "files": [
            {"filename": "foo-1.tar.gz", "url": "../../files/foo-1.tar.gz#sha256=aa",
             "hashes": {"sha256": "bb", "md5": "cc"}, "requires-python": ">=3.8",
             "yanked": "broken", "size": 3, "upload-time": "2024-01-02T03:04:05Z",
             "core-metadata": {"sha256": "dd"}, "dist-info-metadata": false},
            {"filename": "foo-2.tar.gz", "url": "https://u:p@files.invalid/foo-2.tar.gz",
             "hashes": {}, "yanked": false, "dist-info-metadata": true}]}"#;
        let read = parse(page, &base()).expect("a page");
        let [first, second] = &read.entries[..] else {
            panic!("two entries: {read:?}");
        };
        assert_eq!(first.url, "https://example.invalid/files/foo-1.tar.gz");
        assert_eq!(first.hashes["sha256"], "bb");
        assert_eq!(first.requires_python.as_deref(), Some(">=3.8"));
        assert_eq!(first.yanked.as_deref(), Some("broken"));
        assert_eq!(first.size, Some(3));
        assert_eq!(first.metadata.as_ref().expect("metadata")["sha256"], "dd");
        assert_eq!(second.url, "https://files.invalid/foo-2.tar.gz");
        assert_eq!(second.yanked, None);
        assert_eq!(second.metadata, Some(BTreeMap::new()));
    }

    #[test]
    fn a_broken_entry_does_not_break_the_page() {
        let page = br#"{"files": [{"filename": 7}, [], {"filename": "a", "url": "http://["},
            {"filename": "foo-1.tar.gz", "url": "foo-1.tar.gz", "hashes": {}}]}"#;
        let read = parse(page, &base()).expect("a page");
        assert_eq!(read.entries.len(), 1);
        assert_eq!(read.notes.len(), 1);
    }

    #[test]
    fn garbage_and_unknown_versions_are_errors() {
        for page in [
            &b"<html>"[..],
            b"",
            b"[]",
            b"{}",
            br#"{"meta": {"api-version": "2.0"}, "files": []}"#,
            br#"{"meta": {"api-version": "x"}, "files": []}"#,
            &b"[".repeat(100_000),
        ] {
            assert!(parse(page, &base()).is_err());
        }
    }
}
