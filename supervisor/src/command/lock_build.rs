//! `fumehood lock-build`: what builds used, as a file of build constraints with versions and hashes.

use std::path::Path;
use std::sync::Arc;

use builder::record::BuildRecord;
use builder::{BuildLock, LockError, Settings, Watcher};
use index::FormatControl;
use model::Code;
use sources::Wanted;

use super::making::{Course, Order, Typed};
use super::{Surroundings, build, no_output};
use crate::args::{Format, LockBuildArgs, ReportArgs, WantedArgs};
use crate::render::Problem;
use crate::settings::{PlaceSettings, SettingsError};
use crate::{compose, data};

/// Builds, or looks at the records of former builds, and prints the file.
pub(super) fn run(args: &LockBuildArgs, around: &Surroundings) -> Result<(), Problem> {
    no_output::check(&args.out, "lock-build")?;
    let unfit = |error: SettingsError| compose::of_settings(&error);
    let places =
        PlaceSettings::for_work(&args.places, &args.work, &around.layers).map_err(unfit)?;
    let mut index = args.index.clone();
    // Who takes the wheel of an index builds nothing; what is typed besides comes later, and counts.
    index
        .formats
        .insert(0, (Format::NoBinary, ":all:".to_owned()));
    let typed = Typed {
        specs: &args.specs,
        wanted: &WantedArgs::default(),
        course: Course::Named,
        out_dir: None,
        making: &args.making,
        report: &ReportArgs::default(),
        index: &index,
        sandbox: &args.sandbox,
        places: &args.places,
        work: &args.work,
    };
    let order = Order::new(&typed, places, around)?;
    let mut specs = order.wanted().iter().map(|wanted| &wanted.spec);
    if let Some(wheel) = specs.find(|spec| spec.wheel().is_some()) {
        return Err(build::of_a_wheel(&wheel.to_string()));
    }
    let locked = order.host(around, async |settings| {
        let formats = chooser(&args.index.formats, &settings.formats, order.wanted())?;
        lock(&order, settings, formats, around).await
    });
    around.talk.end();
    let (text, _) = locked?;
    data::put(&text)
}

/// Returns what the versions of the run time are chosen by, where they count: as `wheel` chooses them, but that what
/// is named is built.
fn chooser(
    typed: &[(Format, String)],
    formats: &FormatControl,
    wanted: &[Wanted],
) -> Result<FormatControl, Problem> {
    if typed
        .iter()
        .any(|(format, names)| *format == Format::NoBinary && names == ":all:")
    {
        return Ok(formats.clone());
    }
    let mut chooser = formats.without_all();
    for name in wanted.iter().filter_map(|one| one.spec.name()) {
        let named = chooser.no_binary(name.as_ref());
        named.map_err(|error| Problem::of(Code::Bug, &error))?;
    }
    Ok(chooser)
}

async fn lock(
    order: &Order,
    settings: Settings,
    chooser: FormatControl,
    around: &Surroundings,
) -> Result<String, Problem> {
    let cache = settings.cache.clone();
    let wanted = order.here(&settings, around)?;
    let watcher = Arc::clone(&around.talk) as Arc<dyn Watcher>;
    let results = if settings.match_runtime.wanted.is_empty() {
        builder::wheels(Arc::new(settings), wanted, watcher).await
    } else {
        // Which versions the run time has, only a plan tells. Of what it holds besides nothing is made.
        let mut choosing = settings.clone();
        choosing.formats = chooser;
        let plan = Order::plan_for(wanted, &Arc::new(choosing), around).await;
        let mut plan = plan.map_err(|failure| compose::of_failure(&failure))?;
        plan.retain(|one| one.asked.is_some());
        builder::carry_out(Arc::new(settings), &plan, watcher).await
    };
    let mut lock = BuildLock::default();
    let mut head = String::new();
    for result in results {
        let wheel = result.map_err(|failure| compose::of_failure(&failure))?;
        let record = wheel.record.as_deref();
        let record: Option<BuildRecord> = record.and_then(|path: &Path| cache.read_record(path));
        let Some(record) = record else {
            return Err(Problem::new(
                Code::NoRecord,
                format!("there is no record of a build of {}", wheel.filename),
            )
            .why("it was not built here")
            .fix("drop --only-binary, or clean it from the cache and build it again"));
        };
        lock.add(&cache, &record).map_err(of_lock)?;
        let python = record.python.lines().filter(|line| !line.trim().is_empty());
        let python: Vec<_> = python.map(str::trim).collect();
        head.push_str(&format!(
            "# {} {} on {}\n",
            record.name,
            record.version,
            python.join(", ")
        ));
    }
    Ok(format!(
        "# What these builds used, written by `fumehood lock-build`:\n{head}# Use it with: -b FILE --require-build-hashes\n{}",
        lock.text()
    ))
}

fn of_lock(error: LockError) -> Problem {
    match &error {
        LockError::Versions { name, .. } => {
            let fix = format!(
                "narrow it to one version for all of them: -b FILE, with {name}==VERSION in it"
            );
            Problem::of(Code::Unresolvable, &error).fix(fix)
        }
        LockError::Forgotten { .. } => Problem::of(Code::NoRecord, &error)
            .why("what it was made of was removed from the cache")
            .fix("run it without what is kept: --no-cache"),
    }
}
