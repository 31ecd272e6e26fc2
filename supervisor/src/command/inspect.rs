//! `fumehood inspect`: a source archive or a wheel, looked at. None of its code runs.

use std::fs::File;
use std::io::Seek as _;
use std::path::Path;

use builder::{BuildError, Floor, InspectedSdist, Workers, examine, inspect_sdist, open_file};
use model::{Code, Digest, SdistFilename, Sha256, WheelFilename};
use policies::Policy;
use protocol::{Level, Limits};

use super::Surroundings;
use crate::args::InspectArgs;
use crate::render::{Problem, Sheet, bytes};
use crate::report::{Kind, LookedAt, RefusalEntry};
use crate::settings::{PlaceSettings, ReportForm};
use crate::{compose, data, report, signals};

/// Looks and prints. The exit code is that of the first rule that is broken.
pub(super) fn run(args: &InspectArgs, around: &Surroundings) -> Result<Option<Code>, Problem> {
    let unfit = |error| compose::of_settings(&error);
    let form = ReportForm::new(args.form.output_format.as_deref(), &around.layers);
    let form = form.map_err(unfit)?;
    let path = Path::new(&args.file);
    let filename = path.file_name().unwrap_or_default().to_string_lossy();
    let mut refusals = Vec::new();
    let mut looked = if filename.to_ascii_lowercase().ends_with(".whl") {
        wheel(args, &filename, &mut refusals)?
    } else {
        sdist(args, &filename, &mut refusals, around)?
    };
    looked.refusals = refusals.iter().map(RefusalEntry::of).collect();
    data::put(&match form {
        ReportForm::Json => report::text(&looked),
        ReportForm::Text => text(&looked),
    })?;
    Ok(refusals.first().map(|problem| problem.code))
}

/// Returns the digest of a file that somebody named, and the file at its beginning.
pub(super) fn opened(path: &Path) -> Result<(File, Digest), Problem> {
    let mut file = open_file(path).map_err(|error| of_file(&error))?;
    let read = Sha256::of_reader(&file).and_then(|read| file.rewind().map(|()| read));
    let (sha256, size) = read.map_err(|error| {
        Problem::new(Code::Io, format!("could not read `{}`", path.display()))
            .why(error.to_string())
    })?;
    Ok((file, Digest { sha256, size }))
}

/// A file that can not be opened was named by whoever typed it.
fn of_file(error: &BuildError) -> Problem {
    Problem {
        code: Code::BadFlag,
        ..Problem::of(error.code(), error)
    }
}

fn wheel(
    args: &InspectArgs,
    filename: &str,
    refusals: &mut Vec<Problem>,
) -> Result<LookedAt, Problem> {
    let (file, digest) = opened(Path::new(&args.file))?;
    let mut looked = LookedAt::new(&args.file, Kind::Wheel, digest);
    match WheelFilename::parse(filename) {
        Ok(name) => {
            let seen = examine(&file, name, false);
            looked.wheel(&seen);
            let broken = seen.broken.iter();
            refusals.extend(broken.map(|error| Problem::of(error.code(), error)));
        }
        Err(error) => refusals.push(Problem::of(Code::BadWheel, &error)),
    }
    Ok(looked)
}

fn sdist(
    args: &InspectArgs,
    filename: &str,
    refusals: &mut Vec<Problem>,
    around: &Surroundings,
) -> Result<LookedAt, Problem> {
    let (file, digest) = opened(Path::new(&args.file))?;
    let mut looked = LookedAt::new(&args.file, Kind::Sdist, digest);
    if let Ok(guess) = SdistFilename::guess(filename) {
        looked.named(&guess.name, &guess.version);
    }
    match look(args, &file, around)? {
        Ok(seen) => {
            looked.sdist(&seen);
            if !seen.is_project() {
                let place = String::new();
                let error = BuildError::NotAProject { place };
                refusals.push(Problem::of(error.code(), &error));
            }
            if let Err(error) = &seen.system {
                refusals.push(Problem::of(error.code(), error));
            }
        }
        // A guard's word is what was asked for; anything else is a failure of ours.
        Err(error @ BuildError::Archive { .. }) => {
            refusals.push(Problem::of(error.code(), &error));
        }
        Err(error) => return Err(compose::of_build(&args.file, &error)),
    }
    Ok(looked)
}

/// Looks at a source archive, with a worker where only a worker decodes it.
fn look(
    args: &InspectArgs,
    file: &File,
    around: &Surroundings,
) -> Result<Result<InspectedSdist, BuildError>, Problem> {
    let path = std::path::absolute(&args.file)
        .map_err(|error| Problem::new(Code::BadFlag, args.file.clone()).why(error.to_string()))?;
    let runtime = compose::runtime()?;
    let needs_worker = archive::Kind::of(file).is_ok_and(|kind| !kind.decodable_in_supervisor());
    if !needs_worker {
        return Ok(runtime.block_on(inspect_sdist(&path, None)));
    }
    let places = PlaceSettings::for_work(&args.places, &args.work, &around.layers)
        .map_err(|error| compose::of_settings(&error))?;
    let place = compose::open(&places, None, &around.talk)?;
    let (limits, floor) = bounds()?;
    runtime.block_on(async {
        let executor = compose::executor(&places, &place.cache);
        let workers = Workers {
            executor: &executor,
            cache: &place.cache,
            limits: &limits,
            floor: &floor,
        };
        let looked = signals::unless_interrupted(inspect_sdist(&path, Some(workers))).await;
        executor.idle().await;
        looked?.ok_or_else(signals::interrupted)
    })
}

/// What a worker that only unpacks may use, and the isolation that it needs: the defaults.
fn bounds() -> Result<(Limits, Floor), Problem> {
    let policy = Policy::builtin("strict")
        .ok_or_else(|| Problem::new(Code::Bug, "there is no default policy"))?;
    let floor = Floor {
        level: Level::Confined,
        require: Vec::new(),
    };
    Ok((policy.limits().clone(), floor))
}

/// Returns the answer for people.
fn text(looked: &LookedAt) -> String {
    let mut sheet = Sheet::default();
    let kind = match looked.kind {
        Kind::Sdist => "source archive",
        Kind::Wheel => "wheel",
    };
    sheet.line("file", &format!("{}, a {kind}", looked.path));
    sheet.more(&format!("{}, sha256 {}", bytes(looked.size), looked.sha256));
    match (&looked.name, &looked.version) {
        (Some(name), Some(version)) => sheet.line("project", &format!("{name} {version}")),
        _ => sheet.line("project", "not told"),
    }
    if let (Some(members), Some(unpacked)) = (looked.members, looked.bytes) {
        sheet.line("holds", &format!("{members} members, {}", bytes(unpacked)));
    }
    sheet.list("python", &looked.requires_python);
    sheet.list("needs", &looked.requires_dist);
    if let Some(sdist) = &looked.sdist {
        let legacy = "setuptools, by default";
        sheet.line("backend", sdist.backend.as_deref().unwrap_or(legacy));
        sheet.list("build needs", &sdist.requires);
        sheet.list("would run", &sdist.runs);
    }
    if let Some(wheel) = &looked.wheel {
        sheet.list("tags", &wheel.tags);
        sheet.line("RECORD", wheel.record);
        let programs = wheel.programs.iter();
        sheet.list(
            "programs",
            programs.map(|(name, calls)| format!("{name} = {calls}")),
        );
    }
    sheet.list("note", &looked.notes);
    refusals(&mut sheet, &looked.refusals);
    sheet.text
}

/// Adds the rules that are broken.
pub(super) fn refusals(sheet: &mut Sheet, refusals: &[RefusalEntry]) {
    let lines = refusals.iter();
    sheet.list(
        "refused",
        lines.map(|one| format!("error[{}]: {}", one.code, one.message)),
    );
}
