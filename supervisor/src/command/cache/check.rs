//! `fumehood cache check`: everything read, and mended on request.

use std::cell::Cell;

use builder::Floor;
use cache::{Cache, Checked, Checks, Repaired, Unsound};
use model::{Code, Sha256};
use protocol::Level;
use serde::Serialize;

use super::{Asked, SCHEMA};
use crate::args::CheckArgs;
use crate::command::Surroundings;
use crate::render::{Problem, bytes};
use crate::settings::{PlaceSettings, ReportForm};
use crate::{compose, data, neutralise, report, signals};

/// The answer of a check.
#[derive(Serialize)]
struct Document {
    schema: &'static str,
    entries: u64,
    files: u64,
    bytes: u64,
    left_over: u64,
    damage: Vec<Entry>,
    /// What could not be checked, and why.
    unread: Vec<String>,
    /// What was mended; nothing without `--repair`.
    mended: Vec<String>,
}

#[derive(Serialize)]
struct Entry {
    path: String,
    what: String,
    why: String,
}

/// Checks, and repairs if that was asked for.
pub(super) fn run(args: &CheckArgs, around: &Surroundings) -> Result<(), Problem> {
    let asked = Asked::new(&args.places, &args.form, around)?;
    let failed = |error| compose::of_cache(&error);
    let cache = Cache::open_existing(&asked.root).map_err(failed)?;
    let Some(cache) = cache else {
        return tell(&Checked::default(), &Repaired::default(), asked.form);
    };
    let interrupted = Cell::new(false);
    let checked = cache.check(Checks {
        environment: &|name| environment::check_environment(&cache, name),
        repository: &|name| match interrupted.get() {
            true => Ok(()),
            false => repository(&asked.places, name).unwrap_or_else(|| {
                interrupted.set(true);
                Ok(())
            }),
        },
    });
    if interrupted.get() {
        return Err(signals::interrupted());
    }
    let repaired = if args.repair {
        // A handle of its own: what this one read it holds.
        let mender = Cache::open(&asked.root).map_err(failed)?;
        drop(cache);
        mender.repair(&checked).map_err(failed)?
    } else {
        Repaired::default()
    };
    tell(&checked, &repaired, asked.form)?;
    let left = if args.repair {
        repaired.left.len()
    } else {
        checked.damage.len()
    };
    if left == 0 {
        return Ok(());
    }
    let problem = Problem::new(
        Code::CacheDamaged,
        format!("{left} entries of the cache are damaged"),
    );
    Err(match repaired.left.first() {
        Some(first) => problem.why(first.clone()),
        None => problem
            .fix("`fumehood cache check --repair` removes them; the next run makes them again"),
    })
}

/// Has git read one of its repositories, in a worker, which has its scratch in the cache. None if somebody
/// interrupts.
fn repository(places: &PlaceSettings, name: &Sha256) -> Option<Result<(), Unsound>> {
    let unread = |problem: Problem| Some(Err(Unsound::Unread(problem.message)));
    let opened = Cache::open(&places.cache.value).map_err(|error| compose::of_cache(&error));
    let (cache, runtime) = match (opened, compose::runtime()) {
        (Ok(cache), Ok(runtime)) => (cache, runtime),
        (Err(problem), _) | (_, Err(problem)) => return unread(problem),
    };
    let executor = compose::executor(places, &cache);
    let floor = Floor {
        level: Level::Confined,
        require: Vec::new(),
    };
    let done = runtime.block_on(async {
        let check = builder::check_repository(&cache, &executor, &floor, name);
        let done = signals::unless_interrupted(check).await;
        executor.idle().await;
        done
    });
    done.unwrap_or_else(unread)
}

fn tell(checked: &Checked, repaired: &Repaired, form: ReportForm) -> Result<(), Problem> {
    if form == ReportForm::Json {
        let damage = checked.damage.iter().map(|damage| Entry {
            path: damage.path.display().to_string(),
            what: damage.label.clone(),
            why: damage.why.clone(),
        });
        return data::put(&report::text(&Document {
            schema: SCHEMA,
            entries: checked.entries,
            files: checked.files,
            bytes: checked.bytes,
            left_over: checked.left_over,
            damage: damage.collect(),
            unread: checked.unread.clone(),
            mended: repaired.mended.clone(),
        }));
    }
    let mut text = String::new();
    for damage in &checked.damage {
        let about = format!("damaged: {}: {}", damage.label, damage.why);
        text.push_str(&format!("{}\n", neutralise::line(&about)));
    }
    for about in &repaired.mended {
        text.push_str(&format!("mended: {}\n", neutralise::line(about)));
    }
    for about in &checked.unread {
        text.push_str(&format!("not checked: {}\n", neutralise::line(about)));
    }
    if checked.left_over > 0 {
        text.push_str(&format!(
            "{} unfinished things of runs that were ended; the next run or `fumehood cache prune` removes them\n",
            checked.left_over
        ));
    }
    text.push_str(&format!(
        "checked {} entries, {} files, {}: {} damaged\n",
        checked.entries,
        checked.files,
        bytes(checked.bytes),
        checked.damage.len()
    ));
    data::put(&text)
}
