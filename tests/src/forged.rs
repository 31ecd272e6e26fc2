//! Records of the cache, read and forged by tests as the program itself would write them: with a checksum
//! that fits, so that what is shown is what the program makes of what a record says. And files, damaged.

use std::fs;
use std::path::Path;

use cache::Cache;
use serde_json::Value;

use crate::search;

/// Returns what a record says.
///
/// # Panics
/// When there is no such record, or it was altered.
#[must_use]
pub fn record(root: &Path, path: &Path) -> Value {
    let found = opened(root).read_record(path);
    found.unwrap_or_else(|| panic!("{} is no record", path.display()))
}

/// Puts a record in the place of another.
///
/// # Panics
/// When it can not be written.
pub fn forge(root: &Path, path: &Path, record: &Value) {
    opened(root)
        .write_record(path, record)
        .expect("the cache is the caller's");
}

/// Replaces text in a record, in its JSON without spaces.
///
/// # Panics
/// When the text is not there, or what comes is no JSON.
pub fn reword(root: &Path, path: &Path, from: &str, to: &str) {
    let text = record(root, path).to_string();
    assert!(text.contains(from), "{from} is not in {text}");
    let other = serde_json::from_str(&text.replace(from, to)).expect("JSON");
    forge(root, path, &other);
}

/// Puts other bytes into every file below a folder.
///
/// # Panics
/// When one can not be written.
pub fn damage(folder: &Path) {
    for file in search::files(folder) {
        fs::write(file, "damaged").expect("an own file");
    }
}

fn opened(root: &Path) -> Cache {
    let cache = Cache::open_existing(root).expect("the cache is the caller's");
    cache.expect("there is a cache")
}
