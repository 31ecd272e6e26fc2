//! `fumehood cache`: where things are kept, how much, and how they go. Creates no cache.

mod check;
mod list;
mod remove;

use std::path::{Path, PathBuf};

use cache::Cache;
use serde::Serialize;

use super::Surroundings;
use crate::args::{CacheCommand, FormArgs, PlaceArgs};
use crate::render::{Problem, bytes};
use crate::settings::{PlaceSettings, ReportForm, SettingsError};
use crate::{compose, data, report};

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
        CacheCommand::Size(args) => size(&Asked::new(&args.places, &args.form, around)?),
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

/// The answer of `size`.
#[derive(Serialize)]
struct Sizes {
    schema: &'static str,
    buckets: Vec<SizeOf>,
    files: u64,
    bytes: u64,
}

#[derive(Serialize)]
struct SizeOf {
    name: &'static str,
    files: u64,
    bytes: u64,
}

/// Prints one line a bucket and one for all.
fn size(asked: &Asked) -> Result<(), Problem> {
    let failed = |error| compose::of_cache(&error);
    let cache = Cache::open_existing(&asked.root).map_err(failed)?;
    let sizes = match &cache {
        Some(cache) => cache.sizes().map_err(failed)?,
        None if asked.form == ReportForm::Text => return data::put("nothing is kept yet\n"),
        None => Vec::new(),
    };
    let buckets: Vec<_> = sizes
        .into_iter()
        .map(|(bucket, size)| SizeOf {
            name: bucket.folder(),
            files: size.files,
            bytes: size.bytes,
        })
        .collect();
    let files = buckets.iter().map(|one| one.files).sum();
    let together = buckets.iter().map(|one| one.bytes).sum();
    if asked.form == ReportForm::Json {
        return data::put(&report::text(&Sizes {
            schema: SCHEMA,
            buckets,
            files,
            bytes: together,
        }));
    }
    let lines = buckets
        .iter()
        .map(|one| line(one.name, one.files, one.bytes));
    let text: String = lines.chain([line("together", files, together)]).collect();
    data::put(&text)
}

fn line(what: &str, files: u64, size: u64) -> String {
    format!("{what:<16} {files:>9} files {:>12}\n", bytes(size))
}
