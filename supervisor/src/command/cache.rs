//! `fumehood cache`: where things are kept, how much, and how they go. Creates no cache.

mod check;
mod list;
mod remove;

use std::path::{Path, PathBuf};

use cache::Cache;

use super::Surroundings;
use crate::args::{CacheCommand, FormArgs, PlaceArgs};
use crate::render::{Problem, bytes};
use crate::settings::{PlaceSettings, ReportForm, SettingsError};
use crate::{compose, data};

/// The name of the form that machines read.
const SCHEMA: &str = "fumehood-cache/1";

/// Prints what was asked for.
pub(super) fn run(command: &CacheCommand, around: &Surroundings) -> Result<(), Problem> {
    let unfit = |error: SettingsError| compose::of_settings(&error);
    let layers = &around.layers;
    match command {
        CacheCommand::Dir(args) => {
            let places = PlaceSettings::for_work(&args.places, &args.work, layers);
            dir(&places.map_err(unfit)?, around)
        }
        CacheCommand::Size(args) => size(&PlaceSettings::new(args, layers).map_err(unfit)?),
        CacheCommand::List(args) => list::run(args, around),
        CacheCommand::Clean(args) => remove::clean(args, around),
        CacheCommand::Prune(args) => remove::prune(args, around),
        CacheCommand::Check(args) => check::run(args, around),
    }
}

/// What every command about the cache's content is told.
struct Asked {
    root: PathBuf,
    places: PlaceSettings,
    form: ReportForm,
}

impl Asked {
    fn new(places: &PlaceArgs, form: &FormArgs, around: &Surroundings) -> Result<Self, Problem> {
        let unfit = |error: SettingsError| compose::of_settings(&error);
        let layers = &around.layers;
        let places = PlaceSettings::new(places, layers).map_err(unfit)?;
        Ok(Self {
            root: places.cache.value.clone(),
            places,
            form: ReportForm::new(form.output_format.as_deref(), layers).map_err(unfit)?,
        })
    }
}

/// Opens the cache to change it, if there is one.
fn kept(root: &Path) -> Result<Option<Cache>, Problem> {
    let failed = |error| compose::of_cache(&error);
    match Cache::open_existing(root).map_err(failed)? {
        Some(_) => Cache::open(root).map(Some).map_err(failed),
        None => Ok(None),
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
