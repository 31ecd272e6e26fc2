//! What a wheel that was not built here says of itself: beside it on its index, else as it was kept when it was
//! read, else in it.

use std::fs::File;
use std::path::{Path, PathBuf};

use cache::Bucket;
use index::FileKind;
use model::{Sha256, WheelFilename};
use sources::{CoreMetadata, WheelMetadata};

use super::corridor::{Expectation, Pipeline, blocking};
use crate::error::BuildError;
use crate::inspect::{BadWheel, read_metadata};
use crate::outcome::{Described, MetadataOrigin};

impl Pipeline {
    /// Reads what an index says of a wheel beside it, or else the wheel.
    pub(super) async fn metadata_of_wheel(
        &self,
        file: &index::File,
    ) -> Result<Described, BuildError> {
        let place = format!("METADATA of {}", file.filename);
        let metadata = match self.metadata_beside(file).await? {
            Some(known) => known,
            None => {
                let name = name_of(&file.filename)?;
                let (digest, path) = self.fetch_wheel(file).await?;
                self.metadata_in_blob(&digest.sha256, path, name).await?
            }
        };
        let expectation = Expectation {
            name: Some(file.name().clone()),
            version: Some(file.version().clone()),
        };
        expectation.check(&metadata.name, &metadata.version)?;
        Ok(Described {
            metadata,
            origin: MetadataOrigin::Wheel,
            place,
            source: None,
            isolation: None,
            denials: Vec::new(),
        })
    }

    /// Returns what is known of a wheel of an index without it: what its index says beside it, else what was kept when
    /// it was read.
    pub(super) async fn metadata_beside(
        &self,
        file: &index::File,
    ) -> Result<Option<CoreMetadata>, BuildError> {
        if let Some(bytes) = self.settings.client.metadata(file).await? {
            let said = CoreMetadata::parse(&bytes).map_err(BadWheel::Metadata)?;
            return Ok(Some(said));
        }
        match (&file.sha256, &file.kind) {
            (Some(sha256), FileKind::Wheel(name)) => self.kept_metadata(sha256, name).await,
            _ => Ok(None),
        }
    }

    /// Returns what is kept of the wheel of these bytes.
    pub(super) async fn kept_metadata(
        &self,
        wheel: &Sha256,
        name: &WheelFilename,
    ) -> Result<Option<CoreMetadata>, BuildError> {
        let (cache, wheel, name) = (self.settings.cache.clone(), *wheel, name.clone());
        blocking("look for metadata", move || {
            Ok(WheelMetadata::of(&cache).get(&wheel, &name))
        })
        .await
    }

    /// Returns what a wheel in the cache says of itself; if it is one of the downloads, that is kept beside it.
    pub(super) async fn metadata_in_blob(
        &self,
        wheel: &Sha256,
        path: PathBuf,
        name: WheelFilename,
    ) -> Result<CoreMetadata, BuildError> {
        let (cache, wheel) = (self.settings.cache.clone(), *wheel);
        blocking("read a wheel", move || {
            let kept = WheelMetadata::of(&cache);
            let is_download = path == cache.blob_path(Bucket::Downloads, &wheel);
            if is_download && let Some(said) = kept.get(&wheel, &name) {
                return Ok(said);
            }
            let said = read_wheel(&path, &name)?;
            if is_download {
                kept.keep(&wheel, &said);
            }
            Ok(said)
        })
        .await
    }
}

/// Takes the name of a wheel apart.
pub(super) fn name_of(filename: &str) -> Result<WheelFilename, BuildError> {
    Ok(WheelFilename::parse(filename).map_err(BadWheel::from)?)
}

/// Reads the METADATA of a wheel out of it.
pub(super) fn read_wheel(path: &Path, name: &WheelFilename) -> Result<CoreMetadata, BuildError> {
    let file = File::open(path).map_err(|source| BuildError::Io {
        doing: "open",
        path: path.to_owned(),
        source,
    })?;
    Ok(read_metadata(&file, name)?)
}
