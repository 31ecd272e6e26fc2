//! One snapshot of the environment variables, taken once.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::SettingsError;

/// The environment variables of this process, as they were when it started.
#[derive(Clone, Default)]
pub(crate) struct Environment(BTreeMap<String, OsString>);

/// Variables that would widen, or lift what narrows, and what to write instead: they are not read,
/// and that is said.
const WIDENING: [(&str, &str); 10] = [
    ("FUMEHOOD_POLICY", "typed for one run, as --policy"),
    ("FUMEHOOD_ALLOW_READ", "typed for one run, as --allow-read"),
    (
        "FUMEHOOD_ALLOW_WRITE",
        "typed for one run, as --allow-write",
    ),
    ("FUMEHOOD_ALLOW_EXEC", "typed for one run, as --allow-exec"),
    ("FUMEHOOD_ALLOW_ENV", "typed for one run, as --allow-env"),
    (
        "FUMEHOOD_ALLOW_URL_BUILD_REQUIRES",
        "typed for one run, as --allow-url-build-requires",
    ),
    (
        "FUMEHOOD_MIN_ISOLATION",
        "typed for one run, as --min-isolation",
    ),
    (
        "FUMEHOOD_CONFIG_FILE",
        "typed for one run, as --config-file",
    ),
    ("FUMEHOOD_NO_CONFIG", "typed for one run, as --no-config"),
    (
        "FUMEHOOD_WORKER",
        "written into your own configuration file, as `worker`",
    ),
];

impl Environment {
    /// Takes the snapshot. Variables whose name is not UTF-8 are none of ours.
    pub(crate) fn of_process() -> Self {
        Self(
            std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
                .collect(),
        )
    }

    /// Returns a variable that is set and not empty: an empty one counts as unset everywhere.
    pub(crate) fn raw(&self, name: &str) -> Option<&OsStr> {
        self.0
            .get(name)
            .map(OsString::as_os_str)
            .filter(|value| !value.is_empty())
    }

    /// Returns a variable as text.
    ///
    /// # Errors
    /// If it is not UTF-8.
    pub(crate) fn text(&self, name: &'static str) -> Result<Option<&str>, SettingsError> {
        self.raw(name)
            .map(|value| value.to_str().ok_or(SettingsError::NotText { name }))
            .transpose()
    }

    /// Returns a variable as a path; a relative one is no answer where the XDG rules say so.
    pub(crate) fn absolute(&self, name: &str) -> Option<PathBuf> {
        self.raw(name)
            .map(Path::new)
            .filter(|path| path.is_absolute())
            .map(Path::to_owned)
    }

    /// Returns all variables that are text, for the parts that take a snapshot of their own.
    pub(crate) fn texts(&self) -> BTreeMap<String, String> {
        self.0
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), value.to_str()?.to_owned())))
            .collect()
    }

    /// Returns a note for each variable that is set, looks like ours and is not read.
    pub(crate) fn unread(&self) -> Vec<String> {
        WIDENING
            .iter()
            .filter(|(name, _)| self.raw(name).is_some())
            .map(|(name, instead)| {
                format!("{name} is not read: what widens the sandbox is {instead}")
            })
            .collect()
    }
}

/// Shows names only: values may be credentials.
impl std::fmt::Debug for Environment {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
impl Environment {
    /// Sets one variable.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), OsString::from(value));
    }
}

#[cfg(test)]
impl<const N: usize> From<[(&str, &str); N]> for Environment {
    fn from(variables: [(&str, &str); N]) -> Self {
        Self(
            variables
                .into_iter()
                .map(|(name, value)| (name.to_owned(), OsString::from(value)))
                .collect(),
        )
    }
}
