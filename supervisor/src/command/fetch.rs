//! `fumehood fetch`: everything that making wheels needs, so that the network is not needed for it any more.

use std::sync::Arc;

use builder::Watcher;
use model::Code;

use super::making::{Course, Order, Typed};
use super::{Surroundings, no_output, remarks, whole};
use crate::args::FetchArgs;
use crate::compose;
use crate::render::Problem;
use crate::report::FetchDocument;
use crate::settings::{PlaceSettings, ReportSettings, SettingsError};

/// Fetches it.
pub(super) fn run(args: &FetchArgs, around: &Surroundings) -> Result<Option<Code>, Problem> {
    let unfit = |error: SettingsError| compose::of_settings(&error);
    let places =
        PlaceSettings::for_work(&args.places, &args.work, &around.layers).map_err(unfit)?;
    let report =
        ReportSettings::new(&args.report, &around.layers, &places.directory).map_err(unfit)?;
    if places.work.no_cache.is_some() {
        return Err(Problem::new(
            Code::BadFlag,
            "`fetch` and `--no-cache` contradict each other",
        )
        .why("what is fetched is kept in the cache")
        .fix("drop `--no-cache`, or name another cache with --cache-dir"));
    }
    let typed = Typed {
        specs: &args.specs,
        course: Course::Whole,
        wanted: &args.wanted,
        out_dir: None,
        making: &args.making,
        report: &args.report,
        index: &args.index,
        sandbox: &args.sandbox,
        places: &args.places,
        work: &args.work,
    };
    let order = no_output::check(&args.out, "fetch");
    whole::tell_of(
        order.and_then(|()| Order::new(&typed, places, around)),
        &report,
        around,
        async |order, settings, made| {
            // What a lock holds is fetched as it says.
            let wanted = match order.here(&settings, around) {
                Ok(wanted) => wanted,
                Err(problem) => {
                    made.undelivered("the lock", problem);
                    return Some(Vec::new());
                }
            };
            let plan = match Order::plan_for(wanted, &settings, around).await {
                Ok(plan) => plan,
                Err(failure) => {
                    made.failed(&failure);
                    return Some(Vec::new());
                }
            };
            let watcher = Arc::clone(&around.talk) as Arc<dyn Watcher>;
            let mut fetched = Vec::new();
            for result in builder::fetch(settings, &plan, watcher).await {
                match result {
                    Ok(one) => {
                        let label = format!("{} {}", one.name, one.version);
                        remarks::say(&label, &one.denials, &[], &around.talk);
                        fetched.push(one);
                    }
                    Err(failure) => made.failed(&failure),
                }
            }
            Some(fetched)
        },
        |fetched, made| FetchDocument::new(&fetched.unwrap_or_default(), made.document.failures),
    )
}
