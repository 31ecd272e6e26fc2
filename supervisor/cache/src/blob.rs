//! Blobs: immutable files named by their digest, verified on every use.

use std::fs::{self, File};
use std::io::{self, Seek as _};
use std::path::{Path, PathBuf};

use model::{Digest, Sha256};

use crate::{Bucket, Cache, CacheError, StagingFile};

impl Cache {
    /// Returns where a blob is, in the root or in a layer below it, or would be in the root:
    /// `<bucket>/<2 hex>/<64 hex>`.
    #[must_use]
    pub fn blob_path(&self, bucket: Bucket, sha256: &Sha256) -> PathBuf {
        self.locate(&self.own_blob_path(bucket, sha256))
    }

    /// Returns where the record is, or would be, that lies beside a blob and goes with it:
    /// `<bucket>/<2 hex>/<64 hex>.json`
    #[must_use]
    pub fn record_beside(&self, bucket: Bucket, sha256: &Sha256) -> PathBuf {
        self.own_blob_path(bucket, sha256).with_extension("json")
    }

    fn own_blob_path(&self, bucket: Bucket, sha256: &Sha256) -> PathBuf {
        let name = sha256.to_string();
        self.bucket(bucket).join(&name[..2]).join(name)
    }

    /// Returns a blob if it is there and has its digest, and holds it. A damaged one is removed;
    /// in a layer that is only read it is passed over.
    pub fn blob(&self, bucket: Bucket, digest: &Digest) -> Option<PathBuf> {
        let own = self.own_blob_path(bucket, &digest.sha256);
        self.hold(&own);
        self.candidates(&own)
            .find_map(|path| sound(path, digest, &own))
            .inspect(|path| self.touch(path))
    }

    /// Publishes a file as a blob and returns its digest. A sound blob that is there stays, a
    /// damaged one is replaced.
    ///
    /// # Errors
    /// If reading or writing fails.
    pub fn put_blob(&self, bucket: Bucket, mut file: StagingFile) -> Result<Digest, CacheError> {
        let staged = file.path().to_owned();
        let failed = |source| CacheError::io("read back", &staged, source);
        file.rewind().map_err(failed)?;
        let (sha256, size) = Sha256::of_reader(&mut file).map_err(failed)?;
        let digest = Digest { sha256, size };
        if self.blob(bucket, &digest).is_none() {
            self.publish_file(file, &self.own_blob_path(bucket, &sha256))?;
        }
        Ok(digest)
    }
}

/// Returns `path` if the file has its digest; a damaged one is removed if it is `own`.
fn sound(path: PathBuf, digest: &Digest, own: &Path) -> Option<PathBuf> {
    match hash(&path) {
        Ok(Some(found)) if found == *digest => Some(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        // An asked size that differs while the name's digest fits is no damage of the blob.
        Ok(Some(found)) if found.sha256 == digest.sha256 => None,
        other => {
            let error = other.err().map(|error| error.to_string());
            tracing::debug!(path = %path.display(), ?error, "a blob is damaged");
            if path == own
                && let Err(error) = fs::remove_file(&path)
            {
                tracing::debug!(path = %path.display(), %error, "it can not be removed");
            }
            None
        }
    }
}

/// Hashes a regular file; none if it is something else.
fn hash(path: &Path) -> io::Result<Option<Digest>> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Ok(None);
    }
    let (sha256, size) = Sha256::of_reader(File::open(path)?)?;
    Ok(Some(Digest { sha256, size }))
}
