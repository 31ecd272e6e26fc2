//! Further build requirements of single packages.

use std::collections::BTreeMap;

use model::{PackageName, Requirement, VersionOrUrl};

use super::twin::Twin;
use super::{Layers, Origin, SettingsError, Value, words};
use crate::args::MakingArgs;

/// Requirements by the package that is built with them.
type ByPackage = BTreeMap<PackageName, Vec<Requirement>>;

/// Stands where a URL could, and is none: the version of the run time.
const MATCH: &str = "match-runtime";

/// Returns the further build requirements by package, and beside them those that match the run time.
///
/// # Errors
/// If one does not fit.
pub(super) fn extra_build_deps(
    args: &MakingArgs,
    layers: &Layers,
) -> Result<(ByPackage, ByPackage), SettingsError> {
    let pairs = Twin::new("--extra-build-dep", "FUMEHOOD_EXTRA_BUILD_DEP").every(
        &args.extra_build_dep,
        layers,
        |text| {
            let unfit = || {
                format!("`{text}` is not PKG:REQ, such as peewee:cython<3 or scipy:numpy@{MATCH}")
            };
            let (package, requirement) = text.split_once(':').ok_or_else(unfit)?;
            let package = words::package(package).ok_or_else(unfit)?;
            let (requirement, is_matched) = match matching(requirement) {
                Some(bare) => (bare, true),
                None => (requirement.to_owned(), false),
            };
            let requirement: Requirement = requirement
                .trim()
                .parse()
                .map_err(|error| format!("{}: {error}", unfit()))?;
            if is_matched && requirement.version_or_url.is_some() {
                return Err(format!(
                    "`{text}` has two versions: its own, and that of the run time"
                ));
            }
            Ok((package, requirement, is_matched))
        },
    )?;
    let (mut deps, mut matched) = (ByPackage::new(), ByPackage::new());
    for Value { value, origin } in pairs {
        let (package, requirement, is_matched) = value;
        names_no_place(&requirement, &origin)?;
        let place = if is_matched { &mut matched } else { &mut deps };
        place.entry(package).or_default().push(requirement);
    }
    Ok((deps, matched))
}

/// Returns the requirement without the word about the run time, if it has it: `NAME[EXTRA]@match-runtime; MARKER`.
fn matching(text: &str) -> Option<String> {
    let (bare, rest) = text.split_once('@')?;
    let (word, marker) = rest.split_once(';').unwrap_or((rest, ""));
    let marker = marker.trim();
    (word.trim() == MATCH).then(|| match marker {
        "" => bare.to_owned(),
        marker => format!("{bare} ; {marker}"),
    })
}

/// Refuses a URL from whoever may only narrow: it is a place to fetch from.
fn names_no_place(requirement: &Requirement, origin: &Origin) -> Result<(), SettingsError> {
    let is_url = matches!(requirement.version_or_url, Some(VersionOrUrl::Url(_)));
    if is_url && !origin.widens() && !matches!(origin, Origin::Variable(_)) {
        return Err(SettingsError::Unfit {
            origin: origin.clone(),
            what: "a project's file does not say where requirements come from".to_owned(),
        });
    }
    Ok(())
}
