//! Which entries of a lock are for here. Nothing is resolved: a lock says everything.

use std::collections::{BTreeMap, BTreeSet};

use model::{ExtraName, MarkerEnvironment, Version, VersionSpecifiers, lenient};

use super::marker::Here;
use super::{Lock, LockedPackage, normal};
use crate::RequirementsError;
use crate::project::Extras;

/// What is wanted of a lock, and for which Python.
#[derive(Clone, Copy, Debug)]
pub struct Selection<'a> {
    /// The markers of the interpreter.
    pub markers: &'a MarkerEnvironment,
    /// Its full version.
    pub python: &'a Version,
    /// The extras that were asked for.
    pub extras: &'a Extras,
    /// The dependency groups that were asked for; the lock's own choice where there are none.
    pub groups: &'a [String],
}

impl Lock {
    /// Returns the entries for this Python.
    ///
    /// # Errors
    /// If the lock is for others, an extra or group is unknown, or two entries of one project are for here.
    pub fn select(
        &self,
        selection: &Selection<'_>,
    ) -> Result<Vec<&LockedPackage>, RequirementsError> {
        let extras = self.extras(selection)?;
        let groups = self.groups(selection)?;
        let here = Here {
            markers: selection.markers,
            extras: &extras,
            groups: &groups,
        };
        self.is_for(selection, &here)?;
        let mut chosen: BTreeMap<_, &LockedPackage> = BTreeMap::new();
        for package in &self.packages {
            if package
                .marker
                .as_ref()
                .is_some_and(|marker| !marker.holds(&here))
            {
                continue;
            }
            if let Some(specifiers) = &package.requires_python
                && !allows(specifiers, selection.python)
            {
                return Err(RequirementsError::Elsewhere {
                    place: package.place.clone(),
                    what: format!(
                        "{} is not for this Python, {}",
                        package.name, selection.python
                    ),
                    is_for: format!("Python {specifiers}"),
                });
            }
            if let Some(other) = chosen.insert(&package.name, package) {
                let what = format!(
                    "{} stands at {} too, and both entries are for here",
                    package.name, other.place
                );
                return Err(RequirementsError::line(&package.place, what));
            }
        }
        Ok(chosen.into_values().collect())
    }

    fn is_for(&self, selection: &Selection<'_>, here: &Here<'_>) -> Result<(), RequirementsError> {
        if let Some((specifiers, place)) = &self.requires_python
            && !allows(specifiers, selection.python)
        {
            return Err(RequirementsError::Elsewhere {
                place: place.clone(),
                what: format!("the lock is not for this Python, {}", selection.python),
                is_for: format!("Python {specifiers}"),
            });
        }
        let fits = self
            .environments
            .iter()
            .any(|(marker, _)| marker.holds(here));
        match self.environments.first() {
            Some((_, place)) if !fits => Err(RequirementsError::Elsewhere {
                place: place.clone(),
                what: "the lock is not for this platform and Python".to_owned(),
                is_for: lenient::printable(&self.environment_texts.join(" | ")),
            }),
            _ => Ok(()),
        }
    }

    fn extras(&self, selection: &Selection<'_>) -> Result<BTreeSet<String>, RequirementsError> {
        if selection.extras.all {
            return Ok(self.extras.clone());
        }
        let asked = selection.extras.names.iter().map(ExtraName::to_string);
        self.known("extra", asked, &self.extras)
    }

    fn groups(&self, selection: &Selection<'_>) -> Result<BTreeSet<String>, RequirementsError> {
        if selection.groups.is_empty() {
            return Ok(self.default_groups.clone());
        }
        let asked = selection.groups.iter().cloned();
        let known: BTreeSet<_> = self.groups.union(&self.default_groups).cloned().collect();
        self.known("dependency group", asked, &known)
    }

    fn known(
        &self,
        kind: &str,
        asked: impl Iterator<Item = String>,
        known: &BTreeSet<String>,
    ) -> Result<BTreeSet<String>, RequirementsError> {
        let asked: BTreeSet<_> = asked.map(|name| normal(&name)).collect();
        match asked.iter().find(|name| !known.contains(*name)) {
            None => Ok(asked),
            Some(name) => {
                let known: Vec<_> = known.iter().map(String::as_str).collect();
                let place = model::LinePlace {
                    file: std::sync::Arc::clone(&self.file),
                    line: 1,
                };
                let what = format!("the lock has no {kind} `{}`", lenient::printable(name));
                let fix = match known.as_slice() {
                    [] => "it has none".to_owned(),
                    known => format!("it has: {}", lenient::printable(&known.join(", "))),
                };
                Err(RequirementsError::line(&place, what).with(None, Some(&fix)))
            }
        }
    }
}

/// A pre-release of Python counts as the release that it becomes.
fn allows(specifiers: &VersionSpecifiers, python: &Version) -> bool {
    specifiers.contains(&python.only_release())
}
