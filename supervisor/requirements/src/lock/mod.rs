//! `pylock.toml` (PEP 751): what was locked, and which of it is for here.

mod marker;
mod packages;
mod select;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use model::{LinePlace, VersionSpecifiers, lenient};

use crate::RequirementsError;
use crate::toml_text::{Table, TomlText};
use marker::LockMarker;
pub use packages::{Form, Location, LockedFile, LockedPackage};
pub use select::Selection;

/// The version of the format that is read.
const VERSION: &str = "1.0";
/// Packages of a lock at most.
const MOST: usize = 20_000;

/// A lock, as it stands in its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    file: Arc<Path>,
    requires_python: Option<(VersionSpecifiers, LinePlace)>,
    /// Markers as written; one of them has to hold. None: any environment.
    environments: Vec<(LockMarker, LinePlace)>,
    environment_texts: Vec<String>,
    extras: BTreeSet<String>,
    groups: BTreeSet<String>,
    default_groups: BTreeSet<String>,
    packages: Vec<LockedPackage>,
}

impl Lock {
    /// Whether a file of this name is a lock: `pylock.toml` or `pylock.NAME.toml`.
    #[must_use]
    pub fn is_name(name: &str) -> bool {
        let middle = name
            .strip_prefix("pylock.")
            .and_then(|rest| rest.strip_suffix(".toml"));
        name == "pylock.toml" || middle.is_some_and(|name| !name.is_empty() && !name.contains('.'))
    }

    /// Returns the file, as it was named.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    pub(crate) fn parse(text: &str, file: &Arc<Path>) -> Result<Self, RequirementsError> {
        let toml = TomlText::parse(text, file)?;
        let top = toml.top();
        let version = top.required("lock-version")?;
        if version.split('.').next() != VERSION.split('.').next() {
            let what = format!("is {}; {VERSION} is read", lenient::printable(version));
            return Err(top.unfit("lock-version", &what));
        }
        let requires_python = match top.text("requires-python")? {
            Some(text) => {
                let specifiers = lenient::specifiers(text)
                    .map_err(|error| top.unfit("requires-python", &format!("is unfit: {error}")))?;
                Some((specifiers, top.place_of("requires-python")))
            }
            None => None,
        };
        let mut environments = Vec::new();
        let mut environment_texts = Vec::new();
        for (text, place) in top.texts("environments")? {
            let marker = LockMarker::parse(text)
                .map_err(|what| RequirementsError::line(&place, format!("a marker: {what}")))?;
            environments.push((marker, place));
            environment_texts.push(text.to_owned());
        }
        let packages = top.tables("packages")?;
        if packages.len() > MOST {
            return Err(top.unfit("packages", &format!("has more than {MOST} entries")));
        }
        Ok(Self {
            file: Arc::clone(file),
            requires_python,
            environments,
            environment_texts,
            extras: names(&top, "extras")?,
            groups: names(&top, "dependency-groups")?,
            default_groups: names(&top, "default-groups")?,
            packages: packages
                .iter()
                .map(|table| LockedPackage::read(table))
                .collect::<Result<_, _>>()?,
        })
    }
}

fn names(top: &Table<'_>, key: &str) -> Result<BTreeSet<String>, RequirementsError> {
    Ok(top
        .texts(key)?
        .into_iter()
        .map(|(name, _)| normal(name))
        .collect())
}

/// Names of extras and groups are compared as those of projects are (PEP 503).
fn normal(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for letter in name.chars() {
        match letter {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            other => normal.extend(other.to_lowercase()),
        }
    }
    normal
}
