//! `fumehood cache list`: what is kept, one line an entry.

use cache::{Cache, Item, What};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::{Asked, SCHEMA};
use crate::args::ListArgs;
use crate::command::Surroundings;
use crate::render::{Problem, bytes};
use crate::settings::ReportForm;
use crate::{compose, data, neutralise, report};

/// The answer.
#[derive(Serialize)]
struct Document {
    schema: &'static str,
    entries: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    kind: &'static str,
    what: String,
    path: String,
    /// The digest or key that it is named by.
    name: Option<String>,
    /// The interpreter that a wheel was built for.
    python: Option<String>,
    files: u64,
    bytes: u64,
    used: String,
}

/// Lists what takes room; records and locks are not worth a line.
pub(super) fn run(args: &ListArgs, around: &Surroundings) -> Result<(), Problem> {
    let asked = Asked::new(&args.places, &args.form, around)?;
    let cache = Cache::open_existing(&asked.root).map_err(|error| compose::of_cache(&error))?;
    let items = cache.map(|cache| cache.inventory().items);
    let mut entries: Vec<_> = items.iter().flatten().filter_map(entry).collect();
    entries.sort_by(|one, other| (one.kind, &one.what).cmp(&(other.kind, &other.what)));
    if asked.form == ReportForm::Json {
        return data::put(&report::text(&Document {
            schema: SCHEMA,
            entries,
        }));
    }
    let lines = entries.iter().map(|entry| {
        format!(
            "{:<11} {:>10}  used {}  {}\n",
            entry.kind,
            bytes(entry.bytes),
            entry.used,
            neutralise::line(&entry.what)
        )
    });
    data::put(&lines.collect::<String>())
}

fn entry(item: &Item) -> Option<Entry> {
    let (kind, name) = match &item.what {
        What::Wheel(built) => ("built", Some(built.key.to_string())),
        What::Source(digest) => ("source", Some(digest.to_string())),
        What::Repository(name) | What::StandIn(name) => ("repository", Some(name.to_string())),
        What::Download(digest) => ("download", Some(digest.to_string())),
        What::Environment(_) => ("environment", None),
        What::Log => ("log", None),
        What::KeptScratch => ("scratch", None),
        What::Damaged(_) => ("damaged", None),
        _ => return None,
    };
    let used = Timestamp::try_from(item.used).unwrap_or(Timestamp::UNIX_EPOCH);
    let python = match &item.what {
        What::Wheel(built) => Some(built.python.clone()),
        _ => None,
    };
    Some(Entry {
        kind,
        what: item.label(),
        path: item.path.display().to_string(),
        name,
        python,
        files: item.files,
        bytes: item.bytes,
        used: used
            .to_zoned(TimeZone::UTC)
            .strftime("%Y-%m-%d %H:%M:%SZ")
            .to_string(),
    })
}
