//! Hashes that files are held to, and where they stand.

use std::collections::BTreeMap;

use index::File;
use model::{
    HashAlgorithm, Hashes, LinePlace, PackageName, Requirement, Sha256, Version, VersionSpecifiers,
};

use crate::error::BuildError;
use crate::pipeline::specifiers_of;

/// Hashes that somebody gave for projects: with requirements, constraints or build constraints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HashBook {
    entries: BTreeMap<PackageName, Vec<Entry>>,
    /// Whether a file without a hash is refused, and who wants that, in words.
    pub required: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    specifiers: VersionSpecifiers,
    hashes: Hashes,
    place: Option<LinePlace>,
}

/// Hashes that a file is held to, and where they stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) hashes: Hashes,
    pub(crate) place: Option<LinePlace>,
}

impl HashBook {
    /// Adds the hashes of the files that `requirement` allows.
    pub fn add(&mut self, requirement: &Requirement, hashes: Hashes, place: Option<LinePlace>) {
        if !hashes.is_empty() {
            let entries = self.entries.entry(requirement.name.clone()).or_default();
            entries.push(Entry {
                specifiers: specifiers_of(requirement),
                hashes,
                place,
            });
        }
    }

    /// Whether nobody gave any, and none is required.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.required.is_none()
    }

    /// Returns what is in it, one line an entry: what enters keys.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<_> = self
            .entries
            .iter()
            .flat_map(|(name, entries)| {
                entries.iter().map(move |entry| {
                    let hashes: Vec<_> = entry.hashes.texts().collect();
                    format!("{name}{} {}", entry.specifiers, hashes.join(" "))
                })
            })
            .collect();
        lines.sort();
        lines
    }

    /// Returns what a version is held to: each has to fit.
    pub(crate) fn of(&self, name: &PackageName, version: &Version) -> Vec<Held> {
        let entries = self.entries.get(name).into_iter().flatten();
        entries
            .filter(|entry| entry.specifiers.contains(version))
            .map(|entry| Held {
                hashes: entry.hashes.clone(),
                place: entry.place.clone(),
            })
            .collect()
    }

    /// Returns everything that a project of whatever version is held to.
    pub(crate) fn of_any(&self, name: &PackageName) -> Vec<Held> {
        let entries = self.entries.get(name).into_iter().flatten();
        entries
            .map(|entry| Held {
                hashes: entry.hashes.clone(),
                place: entry.place.clone(),
            })
            .collect()
    }

    /// Leaves the files that fit, as pip does: if there is one that does, those are left out of which the
    /// index says that they do not; if there is none, all stay, and what is taken is refused by name.
    #[must_use]
    pub fn fitting(&self, files: Vec<File>) -> Vec<File> {
        let judged: Vec<_> = files
            .iter()
            .map(|file| {
                let held = self.of(file.name(), file.version());
                let verdicts = held.iter().map(|held| promised(file, &held.hashes));
                verdicts.fold(None, |all, one| match (all, one) {
                    (Some(false), _) | (_, Some(false)) => Some(false),
                    (Some(true), _) | (_, Some(true)) => Some(true),
                    (None, None) => None,
                })
            })
            .collect();
        if !judged.contains(&Some(true)) {
            return files;
        }
        let judged = judged.into_iter();
        let fitting = files.into_iter().zip(judged);
        let fitting = fitting.filter(|(_, verdict)| *verdict != Some(false));
        fitting.map(|(file, _)| file).collect()
    }

    /// Refuses a project of which no hash was given, where one is required.
    ///
    /// # Errors
    /// If it has none.
    pub(crate) fn demand(
        &self,
        name: &PackageName,
        version: Option<&Version>,
        origin: Option<&LinePlace>,
    ) -> Result<(), BuildError> {
        let Some(who) = &self.required else {
            return Ok(());
        };
        let known = match version {
            Some(version) => !self.of(name, version).is_empty(),
            None => self.entries.contains_key(name),
        };
        if known {
            return Ok(());
        }
        let label = version.map_or_else(|| name.to_string(), |version| format!("{name} {version}"));
        Err(BuildError::HashMissing {
            label,
            place: origin.cloned(),
            why: format!("{who} wants a hash of everything, and none was given for it"),
        })
    }
}

/// Whether what the index says of a file is among the hashes; none if it says nothing about them.
fn promised(file: &File, hashes: &Hashes) -> Option<bool> {
    let sha256 = file.sha256.map(|sha256| sha256.to_string());
    let verdicts = hashes.algorithms().filter_map(|algorithm| {
        let said = match algorithm {
            HashAlgorithm::Sha256 => sha256.as_deref(),
            other => file.other_hashes.get(other.name()).map(String::as_str),
        };
        hashes.judge(algorithm, said?)
    });
    verdicts.reduce(|one, other| one || other)
}

impl Held {
    /// The file is another one.
    pub(crate) fn wrong(&self, label: &str, found: Sha256) -> BuildError {
        BuildError::HashWrong {
            label: label.to_owned(),
            found,
            given: self.hashes.texts().collect(),
            place: self.place.clone(),
        }
    }
}
