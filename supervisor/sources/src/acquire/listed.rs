//! Sdists that an index lists. A file of an index never changes: other bytes under the same name
//! are an error, never a new revision.

use archive::Top;
use cache::Bucket;
use index::{FileKind, IndexError};
use model::{Digest, SdistFilename, SourceKind};

use super::{Located, Means, Origin, id, sound};
use crate::names::printable;
use crate::shown::shown_url;
use crate::{PointerRecord, Pointers, SourceError};

/// Locates a file; it is fetched only if neither an earlier answer nor the index says which bytes
/// it has.
pub(super) async fn locate(means: &Means<'_>, file: &index::File) -> Result<Located, SourceError> {
    let FileKind::Sdist(sdist) = &file.kind else {
        return Err(SourceError::NotAnSdist {
            filename: printable(&file.filename),
        });
    };
    let known = Pointers::of(means.cache)
        .get(&file.index.digest(), &sdist.name, &sdist.version)
        .filter(|record| record.filename == file.filename);
    let (digest, is_here) = match &known {
        Some(record) => (as_before(file, sdist, record)?, false),
        None => first_time(means, file).await?,
    };
    let mut located = Located {
        id: id(SourceKind::Index, digest, None),
        label: printable(&file.filename),
        sdist_name: Some((sdist.name.clone(), sdist.version.clone())),
        commit: None,
        is_public: false,
        top: Top::OneFolder,
        origin: Origin::Listed(Box::new(file.clone())),
        bucket: Bucket::Sources,
        is_here,
    };
    let checked = located.check_hashes(means, &file.other_hashes).await;
    if known.is_none() && is_here {
        match checked {
            Ok(()) => remember(means, file, digest)?,
            // It came a moment ago and is not what the index promises.
            Err(error @ SourceError::OtherHashMismatch { .. }) => {
                let blob = means.cache.blob_path(Bucket::Sources, &digest.sha256);
                means.cache.remove(&blob)?;
                return Err(error);
            }
            Err(error) => return Err(error),
        }
    } else {
        checked?;
    }
    Ok(located)
}

/// Compares what the index promises now with what the file was.
fn as_before(
    file: &index::File,
    sdist: &SdistFilename,
    record: &PointerRecord,
) -> Result<Digest, SourceError> {
    if let Some(promised) = file.sha256.filter(|it| *it != record.digest.sha256) {
        return Err(SourceError::Replaced {
            what: format!("{} {}", sdist.name, sdist.version),
            place: shown_url(&file.url),
            expected: Box::new(record.digest.sha256),
            found: Box::new(promised),
            name: Some(sdist.name.clone()),
        });
    }
    if let Some(size) = file.size.filter(|size| *size != record.digest.size) {
        return Err(SourceError::Index(IndexError::SizeMismatch {
            url: shown_url(&file.url),
            expected: record.digest.size,
            found: size,
        }));
    }
    Ok(record.digest)
}

/// Takes the index's word for a file that was not here yet, or fetches it.
async fn first_time(means: &Means<'_>, file: &index::File) -> Result<(Digest, bool), SourceError> {
    if let (Some(sha256), Some(size)) = (file.sha256, file.size) {
        return Ok((Digest { sha256, size }, false));
    }
    let present = match file.sha256 {
        Some(sha256) => sound(means.cache, Bucket::Sources, sha256).await?,
        None => None,
    };
    if let Some(digest) = present {
        return Ok((digest, true));
    }
    let fetched = means
        .client
        .download_file(file, Bucket::Sources, means.on_bytes)
        .await;
    let digest = fetched?;
    Ok((digest, true))
}

/// Records which bytes the file has, if that is not recorded.
pub(super) fn remember(
    means: &Means<'_>,
    file: &index::File,
    digest: Digest,
) -> Result<(), SourceError> {
    let FileKind::Sdist(sdist) = &file.kind else {
        return Ok(());
    };
    let pointers = Pointers::of(means.cache);
    let index = file.index.digest();
    let known = pointers.get(&index, &sdist.name, &sdist.version);
    let mut record = PointerRecord::new(digest, file.filename.clone(), &file.url);
    record.follow(known.as_ref());
    if known.as_ref() != Some(&record) {
        pointers.put(&index, &sdist.name, &sdist.version, &record)?;
    }
    Ok(())
}
