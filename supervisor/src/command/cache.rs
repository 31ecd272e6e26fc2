//! `fumehood cache`: where things are kept, and how much. Creates nothing.

use cache::Cache;

use super::Surroundings;
use crate::args::CacheCommand;
use crate::render::{Problem, bytes};
use crate::settings::{PlaceSettings, SettingsError};
use crate::{compose, data};

/// Prints what was asked for.
pub(super) fn run(command: &CacheCommand, around: &Surroundings) -> Result<(), Problem> {
    let (CacheCommand::Dir(args) | CacheCommand::Size(args)) = command;
    let places = PlaceSettings::new(args, &around.environment)
        .map_err(|error: SettingsError| compose::of_settings(&error))?;
    match command {
        CacheCommand::Dir(_) => data::put(&format!("{}\n", places.cache.value.display())),
        CacheCommand::Size(_) => size(&places),
    }
}

/// Prints one line a bucket and one for all.
fn size(places: &PlaceSettings) -> Result<(), Problem> {
    let failed = |error| compose::of_cache(&error);
    let Some(cache) = Cache::open_existing(&places.cache.value).map_err(failed)? else {
        return data::put("nothing is kept yet\n");
    };
    let mut text = String::new();
    let (mut files, mut total) = (0, 0);
    for (bucket, size) in cache.sizes().map_err(failed)? {
        text.push_str(&line(bucket.folder(), size.files, size.bytes));
        files += size.files;
        total += size.bytes;
    }
    text.push_str(&line("together", files, total));
    data::put(&text)
}

fn line(what: &str, files: u64, size: u64) -> String {
    format!("{what:<16} {files:>9} files {:>12}\n", bytes(size))
}
