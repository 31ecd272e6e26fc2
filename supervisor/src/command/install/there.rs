//! What is installed already, as it bears on what is chosen.

use std::collections::BTreeMap;

use builder::{Installed, Settings};
use environment::{Distribution, Metadata};
use model::{ExtraName, PackageName};
use sources::{CoreMetadata, Spec, Wanted};

/// Returns what is preferred to anything else where it satisfies: what is installed.
pub(super) fn preferred(
    there: &[Distribution],
    is_open: impl Fn(&PackageName) -> bool,
) -> BTreeMap<PackageName, Installed> {
    there
        .iter()
        .filter(|it| !is_open(&it.name))
        .filter_map(|it| {
            let metadata = CoreMetadata::parse(&it.metadata).ok()?;
            Some((it.name.clone(), installed(it.version.clone()?, metadata)))
        })
        .collect()
}

fn installed(version: model::Version, metadata: CoreMetadata) -> Installed {
    Installed {
        version,
        metadata: Metadata {
            requires: metadata.requires_dist,
            requires_python: metadata.requires_python,
            extras: metadata.provides_extra,
        },
    }
}

/// Whether everything that is wanted is installed, with everything that it depends on: then nobody is asked.
pub(super) fn is_everything(settings: &Settings, wanted: &[Wanted]) -> bool {
    let markers = &settings.facts.markers;
    let mut seen: Vec<(PackageName, Vec<ExtraName>)> = Vec::new();
    let mut open = Vec::new();
    for one in wanted {
        match &one.spec {
            _ if !one.applies(markers) => {}
            Spec::Named(requirement) => open.push(requirement.clone()),
            _ => return false,
        }
    }
    while let Some(requirement) = open.pop() {
        if !settings.satisfies(&requirement) {
            return false;
        }
        let key = (requirement.name.clone(), requirement.extras.clone());
        if seen.contains(&key) {
            continue;
        }
        if let Some(installed) = settings.installed.get(&requirement.name) {
            let needs = installed.metadata.requires.iter();
            open.extend(
                needs
                    .filter(|it| it.evaluate_markers(markers, &requirement.extras))
                    .cloned(),
            );
        }
        seen.push(key);
    }
    true
}
