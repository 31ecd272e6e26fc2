//! Digests by other algorithms, asked for in a fragment or on a page: checked and added to what is
//! known of a source, never taken for damage.
//!
//! Weak ones (MD5, SHA-1) prove nothing and are not looked at.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use super::in_background;
use crate::SourceError;
use crate::names::printable;

/// How a file is hashed.
type Hash = fn(&Path) -> io::Result<String>;

/// The algorithms as indexes write them.
const ALGORITHMS: [(&str, Hash); 2] = [
    ("sha512", hash::<sha2::Sha512>),
    ("sha384", hash::<sha2::Sha384>),
];

/// Returns what is asked and not known yet, in small letters; what is known has to be the same.
pub(super) fn open(
    what: &str,
    asked: &BTreeMap<String, String>,
    known: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, SourceError> {
    let mut open = BTreeMap::new();
    for (algorithm, _) in ALGORITHMS {
        let Some(expected) = asked.get(algorithm).map(|text| text.to_ascii_lowercase()) else {
            continue;
        };
        match known.get(algorithm) {
            Some(known) if *known == expected => {}
            Some(_) => return Err(mismatch(what, algorithm, &expected)),
            None => {
                open.insert(algorithm.to_owned(), expected);
            }
        }
    }
    Ok(open)
}

/// Checks a blob.
pub(super) async fn check(
    blob: &Path,
    what: &str,
    expected: &BTreeMap<String, String>,
) -> Result<(), SourceError> {
    for (algorithm, hash) in ALGORITHMS {
        let Some(expected) = expected.get(algorithm) else {
            continue;
        };
        let path = blob.to_owned();
        let found = in_background(move || hash(&path)).await?;
        let found = found.map_err(|source| SourceError::Read {
            path: blob.to_owned(),
            source,
        })?;
        if found != *expected {
            return Err(mismatch(what, algorithm, expected));
        }
    }
    Ok(())
}

fn mismatch(what: &str, algorithm: &'static str, expected: &str) -> SourceError {
    SourceError::OtherHashMismatch {
        what: what.to_owned(),
        algorithm,
        expected: printable(expected),
    }
}

fn hash<H: sha2::Digest>(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = H::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            got => hasher.update(&buffer[..got]),
        }
    }
    let digest = hasher.finalize();
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}
