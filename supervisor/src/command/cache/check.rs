//! `fumehood cache check`: everything read, and mended on request.

use std::cell::{Cell, OnceCell};
use std::sync::Arc;

use builder::{Floor, LocalExecutor};
use cache::{Cache, Checked, Checks, Item, Layer, Repaired, Unsound, What};
use model::{Code, Sha256};
use protocol::Level;
use serde::Serialize;
use tokio::runtime::Runtime;

use super::{Asked, SCHEMA};
use crate::args::{CheckArgs, WorkArgs};
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
    /// What is none of ours: not looked into, and touched by no command.
    strangers: Vec<String>,
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
    let work = WorkArgs {
        cache_readonly: args.cache_readonly.clone(),
        ..WorkArgs::default()
    };
    let places = PlaceSettings::for_work(&args.places, &work, &around.layers);
    let lower = places
        .map_err(|error| compose::of_settings(&error))?
        .work
        .lower;
    let failed = |error| compose::of_cache(&error);
    let mut checked = Checked::default();
    let mut repaired = Repaired::default();
    let mut left = 0;
    if let Some(cache) = Cache::open_existing(&asked.root).map_err(failed)? {
        checked = own(&cache, &asked.places)?;
        if args.repair {
            // A handle of its own: what this one read it holds.
            let mender = Cache::open(&asked.root).map_err(failed)?;
            drop(cache);
            repaired = mender.repair(&checked).map_err(failed)?;
            left = repaired.left.len();
        } else {
            left = checked.damage.len();
        }
    }
    for root in lower {
        // The same rules as for a run that reads it.
        let layer = Layer::open(&root).map_err(failed)?;
        if let Some(cache) = Cache::open_existing(layer.root()).map_err(failed)? {
            let below = cache.check(Checks {
                entry: &|item| judge(&cache, item),
                repository: &|_| Err(Unsound::Unread("a cache below is only read".to_owned())),
            });
            left += below.damage.len();
            checked.add_below(layer.root(), below);
        }
    }
    tell(&checked, &repaired, asked.form)?;
    if left == 0 {
        return Ok(());
    }
    let problem = Problem::new(
        Code::CacheDamaged,
        format!("{left} entries of the cache are damaged"),
    );
    let fix = match args.repair {
        false => "`fumehood cache check --repair` removes them; the next run makes them again",
        true => {
            "what is damaged in a cache that is only read is as if it were not there; its owner repairs it with `--cache-dir`"
        }
    };
    Err(match repaired.left.first() {
        Some(first) => problem.why(first.clone()),
        None => problem.fix(fix),
    })
}

/// Checks the cache itself.
fn own(cache: &Cache, places: &PlaceSettings) -> Result<Checked, Problem> {
    let interrupted = Cell::new(false);
    // Made for the first repository, if there is one.
    let git = OnceCell::new();
    let checked = cache.check(Checks {
        entry: &|item| judge(cache, item),
        repository: &|name| {
            if interrupted.get() {
                return Ok(());
            }
            let git = git.get_or_init(|| Git::new(places)).as_ref();
            let git = git.map_err(|why| Unsound::Unread(why.clone()))?;
            git.check(name).unwrap_or_else(|| {
                interrupted.set(true);
                Ok(())
            })
        },
    });
    match interrupted.get() {
        true => Err(signals::interrupted()),
        false => Ok(checked),
    }
}

/// What has git read its repositories, in workers, which have their scratches in the cache.
struct Git {
    cache: Cache,
    runtime: Runtime,
    executor: Arc<LocalExecutor>,
}

impl Git {
    fn new(places: &PlaceSettings) -> Result<Self, String> {
        let opened = Cache::open(&places.cache.value).map_err(|error| compose::of_cache(&error));
        let cache = opened.map_err(|problem| problem.message)?;
        let runtime = compose::runtime().map_err(|problem| problem.message)?;
        let executor = compose::executor(places, &cache);
        Ok(Self {
            cache,
            runtime,
            executor,
        })
    }

    /// Has one read. None if somebody interrupts.
    fn check(&self, name: &Sha256) -> Option<Result<(), Unsound>> {
        let floor = Floor {
            level: Level::Confined,
            require: Vec::new(),
        };
        let done = self.runtime.block_on(async {
            let check = builder::check_repository(&self.cache, &self.executor, &floor, name);
            let done = signals::unless_interrupted(check).await;
            self.executor.idle().await;
            done
        });
        done.unwrap_or_else(|problem| Some(Err(Unsound::Unread(problem.message))))
    }
}

/// Asks the crate that wrote an entry whether it is one.
fn judge(cache: &Cache, item: &Item) -> Result<(), String> {
    let path = cache.root().join(&item.path);
    match &item.what {
        What::Environment(_) => {
            let name = path.file_name().and_then(|name| name.to_str());
            let name = name.and_then(|name| name.parse().ok());
            let name = name.ok_or("its name is no digest")?;
            environment::check_environment(cache, &name)
        }
        What::Interpreter => environment::check_remembered(cache, &path),
        What::Page(_) => index::check_page(cache, &path),
        What::Revision(digest) => sources::Revisions::of(cache).check(digest),
        What::WheelMetadata(digest) => sources::WheelMetadata::of(cache).check(digest),
        What::Pointer(_) if is_of_git(item) => builder::check_git_pointer(cache, &path),
        What::Pointer(_) => sources::Pointers::of(cache).check(&path),
        What::Log => builder::check_log(cache, &path),
        _ => Ok(()),
    }
}

/// `pointers-v1/git/...` and `pointers-v1/git-folders/...`
fn is_of_git(item: &Item) -> bool {
    let kind = item.path.iter().nth(1);
    kind.is_some_and(|kind| kind == "git" || kind == "git-folders")
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
            strangers: checked
                .strangers
                .iter()
                .map(|path| path.display().to_string())
                .collect(),
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
    for path in &checked.strangers {
        let path = path.display().to_string();
        text.push_str(&format!("not ours: {}\n", neutralise::line(&path)));
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
