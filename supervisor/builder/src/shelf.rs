//! The shelf of built wheels: which of them may be served, and how one is put there.
//!
//! Where a wheel and the way from its key to it lie is the cache's business.

use std::path::{Path, PathBuf};

use cache::{Cache, StagingDir};
use model::{Digest, PackageName, Sha256};
use protocol::{Enforcement, Guarantee, Level};

use crate::error::BuildError;
use crate::executor::Floor;
use crate::outcome::Wheel;
use crate::record::{BuildRecord, Isolation};
use crate::settings::Settings;

/// The record's name in a wheel's folder.
const RECORD: &str = "record.json";
/// Records that are read to learn how long a package takes.
const RECORDS_READ: usize = 8;

/// A wheel on the shelf.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) path: PathBuf,
    pub(crate) record_path: PathBuf,
    pub(crate) record: BuildRecord,
}

/// Returns the records of all wheels that builds made, with their places, of every layer; what can
/// not be read is passed over.
pub fn records(cache: &Cache) -> impl Iterator<Item = (PathBuf, BuildRecord)> + '_ {
    cache.wheel_folders().filter_map(|folder| {
        let path = folder.join(RECORD);
        let record = cache.read_record(&path)?;
        Some((path, record))
    })
}

/// Returns how long the hooks of a package took when it was built last, in milliseconds, as far as wheels of it
/// are kept.
pub(crate) fn earlier_ms(cache: &Cache, name: &PackageName) -> Option<u64> {
    let folders = cache.wheel_folders_of(name).take(RECORDS_READ);
    let records = folders.filter_map(|folder| cache.read_record(&folder.join(RECORD)));
    let last = records.max_by_key(|record: &BuildRecord| record.built_at)?;
    Some(last.hooks.iter().map(|(_, took)| took).sum())
}

/// Finds the wheel of `key`, if its bytes are what its record says and its isolation is not below
/// `floor`. It is held from now on, there or not, so that no removal takes it while it is of use.
pub(crate) fn find(cache: &Cache, key: &Sha256, floor: &Floor) -> Option<Kept> {
    cache.hold_wheel(key);
    cache
        .find_wheels(key)
        .find_map(|folder| look(cache, key, floor, &folder))
}

fn look(cache: &Cache, key: &Sha256, floor: &Floor, folder: &Path) -> Option<Kept> {
    let record_path = folder.join(RECORD);
    let record: BuildRecord = cache.read_record(&record_path)?;
    if record.key != *key || !admits(floor, &record.isolation) {
        return None;
    }
    let path = folder.join(&record.filename);
    let file = std::fs::File::open(&path).ok()?;
    let (sha256, size) = Sha256::of_reader(file).ok()?;
    if (Digest { sha256, size }) != record.wheel {
        // Damaged. In a layer that is only read it stays; what is built instead comes above it.
        if let Err(error) = cache.remove_wheel(key, folder) {
            tracing::debug!(path = %folder.display(), %error, "a damaged wheel stays");
        }
        return None;
    }
    cache.touch(&record_path);
    Some(Kept {
        path,
        record_path,
        record,
    })
}

/// Whether the isolation of what is kept is good enough for what is asked now; results of level `none` never
/// are.
pub(crate) fn admits(floor: &Floor, isolation: &Isolation) -> bool {
    let enforced = |one: &Guarantee| isolation.guarantees.get(one) == Some(&Enforcement::Enforced);
    isolation.level > Level::None
        && isolation.level >= floor.level
        && floor.require.iter().all(enforced)
}

/// Publishes a folder that holds a wheel and its record, unless another process was first with one
/// that is as good: then that one counts, and the other is told apart by its record.
pub(crate) fn publish(
    settings: &Settings,
    folder: StagingDir,
    record: BuildRecord,
) -> Result<Kept, BuildError> {
    let cache = &settings.cache;
    // Builds of one key can run side by side where nobody waited; their publications can not, or
    // one would take away what the other has just published and delivers.
    let name = format!("shelf {}", record.key);
    let what = format!("the place of {}", record.filename);
    let _lock = cache.lock(&name, &what, settings.lock_timeout, &mut || {})?;
    if let Some(kept) = find(cache, &record.key, &settings.floor) {
        return Ok(kept);
    }
    let to = cache.wheel_folder(&record.name, &record.version, &record.key);
    // A folder without a way to it, or one whose record was below the floor: this one is newer.
    cache.remove_wheel(&record.key, &to)?;
    cache.publish_dir(folder, &to)?;
    cache.point_to_wheel(&record.key, &to)?;
    Ok(Kept {
        path: to.join(&record.filename),
        record_path: to.join(RECORD),
        record,
    })
}

/// Takes a wheel that a traced build made off the shelf again. Nobody asks for its key, so one that stays is
/// not served, and goes with the next prune.
pub fn forget(settings: &Settings, wheel: &Wheel) {
    let Some(path) = &wheel.record else {
        return;
    };
    let record: Option<BuildRecord> = settings.cache.read_record(path);
    if let (Some(record), Some(folder)) = (record, path.parent())
        && let Err(error) = settings.cache.remove_wheel(&record.key, folder)
    {
        tracing::debug!(path = %folder.display(), %error, "the wheel of a traced build stays");
    }
}
