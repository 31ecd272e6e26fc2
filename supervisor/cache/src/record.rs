//! Records: small JSON files that are read back leniently and written whole.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Cache, CacheError};

/// No record is longer; longer ones are damaged.
const LONGEST: u64 = 64 * 1024 * 1024;

impl Cache {
    /// Reads a record, of the root or of the first layer below that has it. One that is missing or
    /// can not be decoded is none: whoever asks makes it anew.
    pub fn read_record<T: DeserializeOwned>(&self, path: &Path) -> Option<T> {
        self.candidates(path).find_map(|path| read_one(&path))
    }

    /// Writes a record in place of what is there: whole or not at all.
    ///
    /// # Errors
    /// If the path is outside of the cache, or writing fails.
    pub fn write_record<T: Serialize>(&self, path: &Path, record: &T) -> Result<(), CacheError> {
        self.inside(path)?;
        let mut bytes = serde_json::to_vec(record).map_err(|source| CacheError::Encode {
            path: path.to_owned(),
            source,
        })?;
        bytes.push(b'\n');
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
    serde_json::from_slice(&bytes)
        .inspect_err(|error| {
            tracing::debug!(path = %path.display(), %error, "a record can not be decoded");
        })
        .ok()
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let found = file.metadata()?;
    if !found.is_file() || found.len() > LONGEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}
