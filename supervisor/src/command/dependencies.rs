//! What a finished wheel depends on, by its own metadata: said, because it is not made yet.

use std::fs::File;

use archive::{Budget, Top};
use builder::Wheel;
use model::{MarkerEnvironment, PackageName};
use sources::CoreMetadata;

/// Returns the projects that `wheel` depends on here and that are not among those asked for.
///
/// A wheel whose metadata can not be read says nothing: it was inspected before it came here.
pub(super) fn beyond(
    wheel: &Wheel,
    markers: &MarkerEnvironment,
    asked: &[&PackageName],
) -> Vec<String> {
    let mut names: Vec<_> = metadata(wheel)
        .map(|metadata| metadata.requires_dist)
        .unwrap_or_default()
        .into_iter()
        .filter(|requirement| requirement.evaluate_markers(markers, &[]))
        .map(|requirement| requirement.name)
        .filter(|name| !asked.contains(&name))
        .collect();
    names.sort();
    names.dedup();
    names.iter().map(ToString::to_string).collect()
}

fn metadata(wheel: &Wheel) -> Option<CoreMetadata> {
    let mut parts = wheel.filename.split('-');
    let name = format!("{}-{}.dist-info/METADATA", parts.next()?, parts.next()?);
    let file = File::open(&wheel.path).ok()?;
    let found = archive::peek(&file, &[&name], Top::Bare, &Budget::default()).ok()?;
    CoreMetadata::parse(found.get(&name)?).ok()
}
