//! `fumehood log`: past builds, and everything that one of them wrote.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use builder::BuildSummary;
use builder::record::BuildRecord;
use cache::{Bucket, Cache};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::Code;

use super::Surroundings;
use crate::args::LogArgs;
use crate::render::{Problem, bytes};
use crate::report::{self, DenialsDocument};
use crate::settings::{PlaceSettings, ReportForm, SettingsError};
use crate::{compose, data, neutralise};

/// One past build.
pub(super) struct Past {
    pub(super) id: String,
    log: PathBuf,
    ended: Timestamp,
    size: u64,
}

/// Prints what was asked for.
pub(super) fn run(args: &LogArgs, around: &Surroundings) -> Result<(), Problem> {
    let unfit = |error: SettingsError| compose::of_settings(&error);
    let places = PlaceSettings::new(&args.places, &around.layers).map_err(unfit)?;
    let form = ReportForm::new(args.output_format.as_deref(), &around.layers).map_err(unfit)?;
    let cache =
        Cache::open_existing(&places.cache.value).map_err(|error| compose::of_cache(&error))?;
    let past = match &cache {
        Some(cache) => past(&cache.bucket(Bucket::Logs))?,
        None => Vec::new(),
    };
    match (&args.build, &cache) {
        (Some(wanted), Some(cache)) => {
            let build = one(&past, wanted)?;
            if args.denials {
                denials(cache, build, form)
            } else {
                print(&build.log)
            }
        }
        (Some(wanted), None) => Err(unknown(wanted)),
        (None, Some(cache)) => data::put(&list(cache, &past)),
        (None, None) => Ok(()),
    }
}

/// Returns the builds whose log is kept, the newest first.
pub(super) fn past(folder: &Path) -> Result<Vec<Past>, Problem> {
    let failed = |error: std::io::Error| {
        Problem::new(
            Code::Io,
            format!("could not read the logs in `{}`", folder.display()),
        )
        .why(error.to_string())
    };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut past = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let log = entry.path().join("log");
        let (Ok(id), Ok(found)) = (entry.file_name().into_string(), fs::metadata(&log)) else {
            continue;
        };
        let ended = found
            .modified()
            .ok()
            .and_then(|time| Timestamp::try_from(time).ok())
            .unwrap_or(Timestamp::UNIX_EPOCH);
        past.push(Past {
            id,
            log,
            ended,
            size: found.len(),
        });
    }
    past.sort_by(|one, other| (other.ended, &other.id).cmp(&(one.ended, &one.id)));
    Ok(past)
}

/// Returns the build whose id begins so.
pub(super) fn one<'a>(past: &'a [Past], wanted: &str) -> Result<&'a Past, Problem> {
    let mut fitting = past.iter().filter(|build| build.id.starts_with(wanted));
    match (fitting.next(), fitting.next()) {
        (Some(build), None) => Ok(build),
        (Some(first), Some(second)) => Err(Problem::new(
            Code::BadFlag,
            format!("several builds begin with `{wanted}`"),
        )
        .fix(format!("give more of it: {} or {}", first.id, second.id))),
        (None, _) => Err(unknown(wanted)),
    }
}

pub(super) fn unknown(wanted: &str) -> Problem {
    Problem::new(
        Code::BadFlag,
        format!("there is no log of a build `{wanted}`"),
    )
    .fix("`fumehood log` lists those that are kept; a log is in the cache that its build ran in")
}

/// Returns one line a build: id, when, how much it wrote, what it made.
fn list(cache: &Cache, past: &[Past]) -> String {
    let records: Vec<BuildRecord> = builder::records(cache).map(|(_, record)| record).collect();
    past.iter()
        .map(|build| {
            let made = records
                .iter()
                .find(|record| record.build == build.id)
                .map_or_else(
                    || "no wheel".to_owned(),
                    |record| format!("{} {}", record.name, record.version),
                );
            format!(
                "{}  {}  {:>10}  {}\n",
                build.id,
                build
                    .ended
                    .to_zoned(TimeZone::UTC)
                    .strftime("%Y-%m-%d %H:%M:%SZ"),
                bytes(build.size),
                neutralise::line(&made)
            )
        })
        .collect()
}

/// Prints a log, line by line: it may be larger than memory.
fn print(log: &Path) -> Result<(), Problem> {
    let failed = |error: std::io::Error| {
        Problem::new(Code::Io, format!("could not read `{}`", log.display())).why(error.to_string())
    };
    let mut lines = BufReader::new(File::open(log).map_err(failed)?);
    let mut line = Vec::new();
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line).map_err(failed)? == 0 {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&line);
        data::put(&format!(
            "{}\n",
            neutralise::text(text.trim_end_matches('\n'))
        ))?;
    }
}

/// Prints what was refused to a build.
fn denials(cache: &Cache, build: &Past, form: ReportForm) -> Result<(), Problem> {
    let summary = summary(cache, build).ok_or_else(|| {
        Problem::new(
            Code::BadFlag,
            format!("what was refused to the build {} is not kept", build.id),
        )
        .why("it did not end: what was refused is written down at the end")
    })?;
    let (denials, refusals) = (&summary.denials, &summary.refusals);
    if form == ReportForm::Json {
        return data::put(&report::text(&DenialsDocument::new(
            &build.id, denials, refusals,
        )));
    }
    let acts = denials.iter().map(|denial| {
        let target = neutralise::line(&denial.target);
        format!("{} {target} ({} times)\n", denial.what, denial.count)
    });
    let files = refusals.iter().map(|refusal| {
        let fix = refusal.fix.flag();
        let fix = fix.unwrap_or_else(|| "never offered".to_owned());
        let decisive = if refusal.decisive { "decisive; " } else { "" };
        let line = format!("{}: {decisive}{fix}", refusal.sentence());
        format!("{}\n", neutralise::line(&line))
    });
    data::put(&acts.chain(files).collect::<String>())
}

/// Reads what became of a build.
pub(super) fn summary(cache: &Cache, build: &Past) -> Option<BuildSummary> {
    cache.read_record(&build.log.with_file_name("build.json"))
}
