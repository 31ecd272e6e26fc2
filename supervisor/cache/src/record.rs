//! Records: small JSON objects that are read back leniently and written whole.
//!
//! The last field of each is `checksum`, the SHA-256 of the object without it. So a byte that changed
//! shows also where the text can still be decoded, and a record without one is none. It guards against
//! accidents; against whoever may write the cache there is the rule of ownership.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use model::Sha256;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Cache, CacheError};

/// No record is longer; longer ones are damaged.
const LONGEST: u64 = 64 * 1024 * 1024;

/// What stands before the digits of the checksum, and after them.
const BEFORE: &[u8] = br#","checksum":""#;
const AFTER: &[u8] = b"\"}\n";
/// Digits of a SHA-256.
const DIGITS: usize = 64;

impl Cache {
    /// Reads a record, of the root or of the first layer below that has it. One that is missing,
    /// altered or can not be decoded is none: whoever asks makes it anew.
    pub fn read_record<T: DeserializeOwned>(&self, path: &Path) -> Option<T> {
        self.candidates(path).find_map(|path| read_one(&path))
    }

    /// Writes a record in place of what is there: whole or not at all.
    ///
    /// # Errors
    /// If the path is outside of the cache, the record is not an object with fields, or writing fails.
    pub fn write_record<T: Serialize>(&self, path: &Path, record: &T) -> Result<(), CacheError> {
        self.inside(path)?;
        let bytes = serde_json::to_vec(record)
            .and_then(sealed)
            .map_err(|source| CacheError::Encode {
                path: path.to_owned(),
                source,
            })?;
        let mut file = self.staging_file()?;
        file.write_all(&bytes)
            .map_err(|source| CacheError::io("write", file.path(), source))?;
        self.replace_file(file, path)
    }
}

/// Reads one file as a record.
pub(crate) fn read_one<T: DeserializeOwned>(path: &Path) -> Option<T> {
    let bytes = match read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => {
            tracing::debug!(path = %path.display(), %error, "a record can not be read");
            return None;
        }
    };
    let Some(body) = opened(bytes) else {
        tracing::debug!(path = %path.display(), "a record was altered");
        return None;
    };
    serde_json::from_slice(&body)
        .inspect_err(|error| {
            tracing::debug!(path = %path.display(), %error, "a record can not be decoded");
        })
        .ok()
}

/// Appends the checksum to an object.
fn sealed(mut object: Vec<u8>) -> serde_json::Result<Vec<u8>> {
    if !object.starts_with(b"{\"") {
        let what = "a record is an object with fields";
        return Err(serde::ser::Error::custom(what));
    }
    let checksum = Sha256::of(&object).to_string();
    object.pop();
    object.extend_from_slice(BEFORE);
    object.extend_from_slice(checksum.as_bytes());
    object.extend_from_slice(AFTER);
    Ok(object)
}

/// Takes the checksum off again; nothing if it is missing or the rest has another.
fn opened(mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    let rest = bytes.strip_suffix(AFTER)?;
    let (rest, checksum) = rest.split_at_checked(rest.len().checked_sub(DIGITS)?)?;
    let checksum = checksum.to_owned();
    let length = rest.strip_suffix(BEFORE)?.len();
    bytes.truncate(length);
    bytes.push(b'}');
    (Sha256::of(&bytes).to_string().as_bytes() == checksum).then_some(bytes)
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let found = file.metadata()?;
    if !found.is_file() || found.len() > LONGEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    // One more than there is, so that the end is seen without growing.
    let mut bytes = Vec::with_capacity(usize::try_from(found.len()).unwrap_or(0) + 1);
    file.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_bit_of_a_record_is_turned_shows_and_the_untouched_one_opens() {
        let object = br#"{"requires":["a"],"size":10,"name":"e"}"#;
        let whole = sealed(object.to_vec()).unwrap();
        assert!(serde_json::from_slice::<serde_json::Value>(&whole).is_ok());
        assert_eq!(opened(whole.clone()).unwrap(), object);
        let mut decodable = 0;
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut altered = whole.clone();
                altered[at] ^= 1 << bit;
                decodable +=
                    u32::from(serde_json::from_slice::<serde_json::Value>(&altered).is_ok());
                assert_eq!(opened(altered), None, "bit {bit} of byte {at}");
            }
        }
        assert!(decodable > 100, "{decodable} of these are JSON");
        for end in 0..whole.len() {
            assert_eq!(opened(whole[..end].to_vec()), None, "the first {end}");
        }
        assert_eq!(opened(object.to_vec()), None, "as older ones are");
        assert_eq!(opened([&whole[..], b"\n"].concat()), None);
    }

    #[test]
    fn what_has_no_fields_is_no_record() {
        for other in ["{}", "[1]", "1", "null", "\"text\""] {
            assert!(sealed(other.as_bytes().to_vec()).is_err(), "{other}");
        }
    }
}
