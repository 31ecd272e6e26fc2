//! `fumehood cache`: where things are kept, and how much. Creates nothing.

use cache::Cache;

use super::Surroundings;
use crate::args::CacheCommand;
use crate::render::{Problem, bytes};
use crate::settings::{PlaceSettings, SettingsError};
use crate::{compose, data};

/// Prints what was asked for.
pub(super) fn run(command: &CacheCommand, around: &Surroundings) -> Result<(), Problem> {
    let unfit = |error: SettingsError| compose::of_settings(&error);
    let environment = &around.environment;
    match command {
        CacheCommand::Dir(args) => {
            let places = PlaceSettings::for_work(&args.places, &args.work, environment);
            dir(&places.map_err(unfit)?, around)
        }
        CacheCommand::Size(args) => size(&PlaceSettings::new(args, environment).map_err(unfit)?),
    }
}

/// Prints the root, or where a run without a cache would work and why.
fn dir(places: &PlaceSettings, around: &Surroundings) -> Result<(), Problem> {
    if places.work.no_cache.is_none() {
        return data::put(&format!("{}\n", places.cache.value.display()));
    }
    let chosen = compose::choose(places, None)?;
    around.talk.say(&chosen.why);
    data::put(&format!("{}\n", chosen.place.path().display()))
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
