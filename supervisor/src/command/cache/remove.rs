//! `fumehood cache clean` and `prune`: a plan, shown or carried out.

use cache::{Cache, CarriedOut, InUse, Plan, Removal};
use model::Code;
use serde::Serialize;

use super::{Asked, SCHEMA, kept};
use crate::args::{CleanArgs, PruneArgs};
use crate::command::Surroundings;
use crate::render::{Problem, bytes};
use crate::settings::{ReportForm, removal};
use crate::{compose, data, neutralise, report};

/// The answer of a removal.
#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    dry_run: bool,
    /// What was to be removed, in this order.
    planned: Vec<Entry<'a>>,
    /// What of it was removed; nothing in a dry run.
    entries: u64,
    files: u64,
    bytes: u64,
    in_use: Vec<String>,
    /// What of the gone was in use.
    forced: Vec<String>,
    left: Vec<String>,
}

#[derive(Serialize)]
struct Entry<'a> {
    path: String,
    what: &'a str,
    reason: String,
    files: u64,
    bytes: u64,
}

/// What is done with a plan.
#[derive(Clone, Copy)]
enum Manner {
    /// It is told and not carried out.
    Told,
    /// It is carried out.
    Done(InUse),
}

impl Manner {
    fn new(dry_run: bool, force: bool) -> Self {
        match (dry_run, force) {
            (true, _) => Self::Told,
            (false, true) => Self::Done(InUse::Goes),
            (false, false) => Self::Done(InUse::Stays),
        }
    }
}

/// Cleans.
pub(super) fn clean(args: &CleanArgs, around: &Surroundings) -> Result<(), Problem> {
    let wish = removal::clean(args).map_err(|error| compose::of_settings(&error))?;
    let asked = Asked::new(&args.places, &args.form, around)?;
    let Some(cache) = kept(&asked.root)? else {
        return nothing(&asked, args.dry_run);
    };
    let plan = Plan::clean(&cache.inventory(), &wish);
    let manner = Manner::new(args.dry_run, args.force);
    finish(&cache, &plan, manner, &asked, around)
}

/// Prunes.
pub(super) fn prune(args: &PruneArgs, around: &Surroundings) -> Result<(), Problem> {
    let wish =
        removal::prune(args, &around.layers).map_err(|error| compose::of_settings(&error))?;
    let asked = Asked::new(&args.places, &args.form, around)?;
    let Some(cache) = kept(&asked.root)? else {
        return nothing(&asked, args.dry_run);
    };
    let plan = Plan::prune(&cache.inventory(), &wish, around.now.into());
    let manner = Manner::new(args.dry_run, args.force);
    finish(&cache, &plan, manner, &asked, around)
}

fn nothing(asked: &Asked, dry_run: bool) -> Result<(), Problem> {
    match asked.form {
        ReportForm::Text => data::put("nothing is kept yet\n"),
        ReportForm::Json => tell_json(&Plan::default(), CarriedOut::default(), dry_run),
    }
}

fn finish(
    cache: &Cache,
    plan: &Plan,
    manner: Manner,
    asked: &Asked,
    around: &Surroundings,
) -> Result<(), Problem> {
    let dry_run = matches!(manner, Manner::Told);
    let mut done = CarriedOut::default();
    if let Manner::Done(in_use) = manner {
        let swept = cache.sweep().map_err(|error| compose::of_cache(&error))?;
        done = cache.carry_out(plan, in_use);
        done.left.extend(swept.left);
    }
    for label in &done.in_use {
        around.talk.note(&format!("{label} is in use and stays"));
    }
    for label in &done.forced {
        around.talk.note(&format!("{label} was in use and is gone"));
    }
    let left = done.left.clone();
    match asked.form {
        ReportForm::Json => tell_json(plan, done, dry_run)?,
        ReportForm::Text => tell_text(plan, &done, dry_run)?,
    }
    match left.first() {
        None => Ok(()),
        Some(first) => Err(Problem::new(
            Code::Io,
            format!("{} entries of the cache could not be removed", left.len()),
        )
        .why(first.clone())),
    }
}

fn tell_text(plan: &Plan, done: &CarriedOut, dry_run: bool) -> Result<(), Problem> {
    let mut text = String::new();
    let (mut files, mut size) = (done.files, done.bytes);
    if dry_run {
        for removal in &plan.removals {
            text.push_str(&line(removal));
            files += removal.files;
            size += removal.bytes;
        }
    }
    let verb = if dry_run { "would remove" } else { "removed" };
    text.push_str(&format!("{verb} {files} files, {}\n", bytes(size)));
    data::put(&text)
}

fn line(removal: &Removal) -> String {
    format!(
        "{}: {} ({} files, {})\n",
        neutralise::line(&removal.label),
        neutralise::line(&removal.reason.to_string()),
        removal.files,
        bytes(removal.bytes)
    )
}

fn tell_json(plan: &Plan, done: CarriedOut, dry_run: bool) -> Result<(), Problem> {
    let planned = plan.removals.iter().map(|removal| Entry {
        path: removal.path.display().to_string(),
        what: &removal.label,
        reason: removal.reason.to_string(),
        files: removal.files,
        bytes: removal.bytes,
    });
    data::put(&report::text(&Document {
        schema: SCHEMA,
        dry_run,
        planned: planned.collect(),
        entries: done.entries,
        files: done.files,
        bytes: done.bytes,
        in_use: done.in_use,
        forced: done.forced,
        left: done.left,
    }))
}
