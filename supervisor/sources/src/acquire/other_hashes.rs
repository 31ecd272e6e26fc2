//! Digests by other algorithms, for indexes that give no SHA-256.
//!
//! Weak ones (MD5, SHA-1) prove nothing and are not looked at.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use cache::{Bucket, Cache};
use model::Digest;

use super::in_background;
use crate::SourceError;
use crate::names::printable;

/// An algorithm as indexes write it, and how a file is hashed with it.
type Algorithm = (&'static str, fn(&Path) -> io::Result<Vec<u8>>);

const ALGORITHMS: [Algorithm; 2] = [
    ("sha512", hash::<sha2::Sha512>),
    ("sha384", hash::<sha2::Sha384>),
];

/// Checks the blob against every digest that is understood, if the index gives no SHA-256; one
/// that does not fit is removed.
pub(super) async fn check(
    cache: &Cache,
    file: &index::File,
    digest: Digest,
) -> Result<(), SourceError> {
    if file.sha256.is_some() {
        return Ok(());
    }
    let path = cache.blob_path(Bucket::Sources, &digest.sha256);
    for (algorithm, hash) in ALGORITHMS {
        let Some(expected) = file.other_hashes.get(algorithm) else {
            continue;
        };
        let blob = path.clone();
        let found = in_background(move || hash(&blob)).await?;
        let found = found.map_err(|source| SourceError::Read {
            path: path.clone(),
            source,
        })?;
        if !is_hex_of(expected, &found) {
            cache.remove(&path)?;
            return Err(SourceError::OtherHashMismatch {
                what: printable(&file.filename),
                algorithm,
                expected: printable(expected),
            });
        }
    }
    Ok(())
}

fn hash<H: sha2::Digest>(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let mut hasher = H::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finalize().to_vec()),
            got => hasher.update(&buffer[..got]),
        }
    }
}

fn is_hex_of(text: &str, bytes: &[u8]) -> bool {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.eq_ignore_ascii_case(text)
}
