//! `fumehood metadata`: what a distribution says of itself, without building it where that can be.

use std::sync::Arc;

use builder::{Described, MetadataOrigin, Watcher};
use model::Code;

use super::making::{Course, Order, Typed};
use super::{Surroundings, remarks};
use crate::args::{MetadataArgs, ReportArgs, WantedArgs};
use crate::render::{Problem, Sheet};
use crate::report::DescribedEntry;
use crate::settings::{PlaceSettings, ReportForm, SettingsError};
use crate::{compose, data, report};

/// Finds out and prints.
pub(super) fn run(args: &MetadataArgs, around: &Surroundings) -> Result<Option<Code>, Problem> {
    let unfit = |error: SettingsError| compose::of_settings(&error);
    let form = ReportForm::new(args.form.output_format.as_deref(), &around.layers);
    let form = form.map_err(unfit)?;
    let places =
        PlaceSettings::for_work(&args.places, &args.work, &around.layers).map_err(unfit)?;
    let specs = [args.spec.clone()];
    let typed = Typed {
        specs: &specs,
        course: Course::Named,
        wanted: &WantedArgs::default(),
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
    let (mut found, _) = found?;
    let described = match found.pop() {
        Some(Ok(described)) => described,
        Some(Err(failure)) => return Err(compose::of_failure(&failure)),
        None => return Err(Problem::new(Code::Bug, "nothing was asked")),
    };
    let name = &described.metadata.name;
    let label = format!("{name} {}", described.metadata.version);
    remarks::say(&label, &described.denials, &[], &around.talk);
    let entry = DescribedEntry::new(&described);
    data::put(&match form {
        ReportForm::Json => report::text(&entry),
        ReportForm::Text => text(&entry, &described),
    })?;
    Ok(None)
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
