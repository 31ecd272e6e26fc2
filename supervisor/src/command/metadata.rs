//! `fumehood metadata`: what a distribution says of itself, without building it where that can be.

use std::sync::Arc;

use builder::{Described, Failure, MetadataOrigin, Watcher};
use model::Code;

use super::made::Made;
use super::making::{Course, Order, Typed};
use super::{Surroundings, no_output, remarks};
use crate::args::{MetadataArgs, ReportArgs, WantedArgs};
use crate::render::{Problem, Sheet};
use crate::report::{DescribedEntry, Document};
use crate::settings::{PlaceSettings, ReportForm, SettingsError};
use crate::{compose, data, report};

/// Finds out and prints.
pub(super) fn run(args: &MetadataArgs, around: &Surroundings) -> Result<Option<Code>, Problem> {
    let form = ReportForm::new(args.form.output_format.as_deref(), &around.layers);
    let form = form.map_err(|error| compose::of_settings(&error))?;
    let (document, problem) = match find(args, around) {
        Ok((Ok(described), _)) => {
            let name = &described.metadata.name;
            let label = format!("{name} {}", described.metadata.version);
            remarks::say(&label, &described.denials, &[], &around.talk);
            let entry = DescribedEntry::new(&described);
            data::put(&match form {
                ReportForm::Json => report::text(&entry),
                ReportForm::Text => text(&entry, &described),
            })?;
            return Ok(None);
        }
        Ok((Err(failure), is_fresh)) => {
            let mut made = Made::default();
            made.failed(&failure);
            if is_fresh {
                made = made.without_the_cache();
            }
            (made.document, made.problems.pop())
        }
        Err(problem) => (Document::of_problem(&problem), Some(problem)),
    };
    if form == ReportForm::Json {
        data::put(&document.text())?;
    }
    Err(problem.unwrap_or_else(|| Problem::new(Code::Bug, "a failure without a problem")))
}

/// Finds out. Says whether the cache ended with it.
fn find(
    args: &MetadataArgs,
    around: &Surroundings,
) -> Result<(Result<Described, Failure>, bool), Problem> {
    no_output::check(&args.out, "metadata")?;
    let unfit = |error: SettingsError| compose::of_settings(&error);
    let places =
        PlaceSettings::for_work(&args.places, &args.work, &around.layers).map_err(unfit)?;
    let specs = [args.spec.clone()];
    let typed = Typed {
        specs: &specs,
        course: Course::Named,
        wanted: &WantedArgs::default(),
        out_dir: None,
        making: &args.making,
        report: &ReportArgs::default(),
        index: &args.index,
        sandbox: &args.sandbox,
        places: &args.places,
        work: &args.work,
    };
    let order = Order::new(&typed, places, around)?;
    let found = order.host(around, async |settings| {
        let watcher = Arc::clone(&around.talk) as Arc<dyn Watcher>;
        let specs = order.specs().to_vec();
        Ok(builder::metadata(Arc::new(settings), specs, watcher).await)
    });
    around.talk.end();
    let (mut found, is_fresh) = found?;
    let found = found.pop();
    let found = found.ok_or_else(|| Problem::new(Code::Bug, "nothing was asked"))?;
    Ok((found, is_fresh))
}

/// Returns the answer for people.
fn text(entry: &DescribedEntry, described: &Described) -> String {
    let mut sheet = Sheet::default();
    sheet.line("project", &format!("{} {}", entry.name, entry.version));
    sheet.list("python", &entry.requires_python);
    sheet.list("needs", &entry.requires_dist);
    sheet.list("extras", &entry.provides_extra);
    let level = described
        .isolation
        .as_ref()
        .map(|isolation| isolation.level);
    let ran = match (described.origin, level) {
        (MetadataOrigin::Static, _) => "no code ran".to_owned(),
        (_, Some(level)) => format!("in a worker at level {level}"),
        (_, None) => "no code ran".to_owned(),
    };
    sheet.line("from", &format!("{}; {ran}", entry.place));
    sheet.text
}
