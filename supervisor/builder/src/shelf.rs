//! The bucket of built wheels, by key: `wheels-v1/<name>/<version>/<key>/{<wheel>, record.json}`.
//!
//! The name and version of a source are known only after its build, so a small pointer
//! `wheels-v1/by-key/<key>.json` says where the folder is.

use std::path::PathBuf;

use cache::{Bucket, Cache, StagingDir};
use model::{Digest, Sha256};
use protocol::{Enforcement, Guarantee, Level};
use serde::{Deserialize, Serialize};

use crate::error::BuildError;
use crate::executor::Floor;
use crate::record::BuildRecord;

/// A wheel on the shelf.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) path: PathBuf,
    pub(crate) record_path: PathBuf,
    pub(crate) record: BuildRecord,
}

#[derive(Serialize, Deserialize)]
struct Pointer {
    folder: PathBuf,
}

/// Finds the wheel of `key`, if its bytes are what its record says and its isolation is not below
/// `floor`.
pub(crate) fn find(cache: &Cache, key: &Sha256, floor: &Floor) -> Option<Kept> {
    let bucket = cache.bucket(Bucket::Wheels);
    let pointer: Pointer = cache.read_record(&pointer_path(cache, key))?;
    let is_plain = pointer
        .folder
        .components()
        .all(|part| matches!(part, std::path::Component::Normal(_)));
    if !is_plain {
        return None;
    }
    let folder = bucket.join(&pointer.folder);
    let record_path = folder.join("record.json");
    let record: BuildRecord = cache.read_record(&record_path)?;
    if record.key != *key || !admits(floor, &record) {
        return None;
    }
    let path = folder.join(&record.filename);
    let file = std::fs::File::open(&path).ok()?;
    let (sha256, size) = Sha256::of_reader(file).ok()?;
    if (Digest { sha256, size }) != record.wheel {
        // Damaged: the next publication of this key replaces the folder.
        drop(std::fs::remove_file(pointer_path(cache, key)));
        drop(std::fs::remove_dir_all(&folder));
        return None;
    }
    Some(Kept {
        path,
        record_path,
        record,
    })
}

/// Whether a record is good enough for what is asked now; results of level `none` never are.
fn admits(floor: &Floor, record: &BuildRecord) -> bool {
    let enforced =
        |one: &Guarantee| record.isolation.guarantees.get(one) == Some(&Enforcement::Enforced);
    record.isolation.level > Level::None
        && record.isolation.level >= floor.level
        && floor.require.iter().all(enforced)
}

/// Publishes a folder that holds a wheel and its record.
pub(crate) fn publish(
    cache: &Cache,
    folder: StagingDir,
    record: &BuildRecord,
) -> Result<Kept, BuildError> {
    let relative = PathBuf::from(record.name.to_string())
        .join(record.version.to_string())
        .join(record.key.to_string());
    let to = cache.bucket(Bucket::Wheels).join(&relative);
    if to.exists() {
        // A folder without a pointer, or one whose record was below the floor: this one is newer.
        std::fs::remove_dir_all(&to).map_err(|source| BuildError::Io {
            doing: "replace",
            path: to.clone(),
            source,
        })?;
    }
    cache.publish_dir(folder, &to)?;
    cache.write_record(
        &pointer_path(cache, &record.key),
        &Pointer { folder: relative },
    )?;
    Ok(Kept {
        path: to.join(&record.filename),
        record_path: to.join("record.json"),
        record: record.clone(),
    })
}

fn pointer_path(cache: &Cache, key: &Sha256) -> PathBuf {
    cache
        .bucket(Bucket::Wheels)
        .join("by-key")
        .join(format!("{key}.json"))
}
