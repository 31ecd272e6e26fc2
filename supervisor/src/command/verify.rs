//! `fumehood verify`: is this wheel the one that its build record tells of?

use std::io::Read as _;
use std::path::Path;

use builder::record::BuildRecord;
use builder::{BadWheel, examine, open_file, records};
use cache::Cache;
use model::{Code, Digest, WheelFilename};

use super::Surroundings;
use super::inspect::{opened, refusals};
use crate::args::VerifyArgs;
use crate::render::{Problem, Sheet, bytes};
use crate::report::{BuildEntry, Verified};
use crate::settings::{PlaceSettings, ReportForm};
use crate::{compose, data, report};

/// Bytes of a record that are read.
const LARGEST: u64 = 16 << 20;

/// Checks and prints. The exit code is that of the first thing that does not hold.
pub(super) fn run(args: &VerifyArgs, around: &Surroundings) -> Result<Option<Code>, Problem> {
    let unfit = |error| compose::of_settings(&error);
    let form = ReportForm::new(args.form.output_format.as_deref(), &around.layers);
    let form = form.map_err(unfit)?;
    let path = Path::new(&args.wheel);
    let (file, digest) = opened(path)?;
    let filename = path.file_name().unwrap_or_default().to_string_lossy();
    let mut problems = Vec::new();
    let record = match WheelFilename::parse(&filename) {
        Ok(name) => {
            let seen = examine(&file, name, false);
            let broken = seen.broken.iter();
            problems.extend(broken.map(|error| Problem::of(error.code(), error)));
            seen.record
        }
        Err(error) => {
            let error = BadWheel::from(error);
            problems.push(Problem::of(error.code(), &error));
            None
        }
    };
    let build = find(args, digest, around)?;
    match &build {
        Some((_, said)) => problems.extend(differences(said, digest, &filename)),
        None => problems.push(unknown()),
    }
    let entry = build.map(|(place, said)| BuildEntry::of(&place, &said));
    let verified = Verified::new(&args.wheel, digest, record, entry, &problems);
    data::put(&match form {
        ReportForm::Json => report::text(&verified),
        ReportForm::Text => text(&verified),
    })?;
    Ok(problems.first().map(|problem| problem.code))
}

/// Finds the build record: the one that was named, or that of these bytes in the cache.
fn find(
    args: &VerifyArgs,
    digest: Digest,
    around: &Surroundings,
) -> Result<Option<(String, BuildRecord)>, Problem> {
    if let Some(place) = &args.record {
        return read(place).map(|record| Some((place.clone(), record)));
    }
    let places = PlaceSettings::for_work(&args.places, &args.work, &around.layers)
        .map_err(|error| compose::of_settings(&error))?;
    if places.work.no_cache.is_some() {
        return Ok(None);
    }
    for root in std::iter::once(&places.cache.value).chain(&places.work.lower) {
        let cache = Cache::open_existing(root).map_err(|error| compose::of_cache(&error))?;
        let found =
            cache.and_then(|cache| records(&cache).find(|(_, record)| record.wheel == digest));
        if let Some((path, record)) = found {
            return Ok(Some((path.display().to_string(), record)));
        }
    }
    Ok(None)
}

fn read(place: &str) -> Result<BuildRecord, Problem> {
    let unread = |why: String| {
        Problem::new(Code::BadFlag, format!("`{place}` is not a build record")).why(why)
    };
    let file = open_file(place.as_ref()).map_err(|error| {
        let source = std::error::Error::source(&error).map(ToString::to_string);
        unread(source.unwrap_or_else(|| error.to_string()))
    })?;
    let mut text = Vec::new();
    file.take(LARGEST)
        .read_to_end(&mut text)
        .map_err(|error| unread(error.to_string()))?;
    serde_json::from_slice(&text).map_err(|error| unread(error.to_string()))
}

/// What a wheel has otherwise than its record.
fn differences(said: &BuildRecord, digest: Digest, filename: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    if said.wheel != digest {
        let message = "the wheel is not the one that its build record tells of";
        problems.push(Problem::new(Code::HashMismatch, message).why(format!(
            "it has the SHA-256 {} and {} bytes, the record says {} and {}",
            digest.sha256, digest.size, said.wheel.sha256, said.wheel.size
        )));
    }
    if said.filename != filename {
        let message = format!("the wheel is called `{filename}`");
        let why = format!("its build record says `{}`", said.filename);
        problems.push(Problem::new(Code::WrongName, message).why(why));
    }
    problems
}

fn unknown() -> Problem {
    Problem::new(Code::NoRecord, "there is no build record of these bytes")
        .why("the cache has no wheel with this digest")
}

/// Returns the answer for people.
fn text(verified: &Verified) -> String {
    let mut sheet = Sheet::default();
    sheet.line("wheel", &verified.path);
    let size = bytes(verified.size);
    sheet.more(&format!("{size}, sha256 {}", verified.sha256));
    sheet.line("RECORD", verified.record);
    if let Some(build) = &verified.build {
        sheet.line(
            "built",
            &format!("{}, by {}", build.built_at, build.backend),
        );
        sheet.more(&format!(
            "from {}, sha256 {}",
            build.source_label, build.source
        ));
        sheet.more(&format!("isolation {}, build {}", build.level, build.build));
        sheet.more(&build.record);
    }
    refusals(&mut sheet, &verified.refusals);
    let verdict = match verified.refusals.is_empty() {
        true => "it is what its build record says",
        false => "not verified",
    };
    sheet.line("verdict", verdict);
    sheet.text
}
