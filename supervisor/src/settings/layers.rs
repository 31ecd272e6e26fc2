//! Everything that can stand behind a flag: variables, and the files in the order in which they win.

use super::configuration::{Configuration, Found};
use super::{Ceiling, Environment, Origin, Value};

/// The layers below what was typed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layers {
    /// The environment variables.
    pub(crate) environment: Environment,
    /// The files, the one that wins last.
    pub(crate) files: Vec<Configuration>,
    /// What is not heard, in words.
    pub(crate) notes: Vec<String>,
}

impl Layers {
    /// Puts the files below the variables.
    pub(crate) fn new(environment: Environment, found: Found) -> Self {
        let notes = found.files.iter().flat_map(|file| file.notes.clone());
        Self {
            environment,
            notes: notes.chain(found.notes).collect(),
            files: found.files,
        }
    }

    /// Returns the ceiling, if the system has one.
    pub(crate) fn ceiling(&self) -> Option<&Ceiling> {
        self.files.iter().find_map(|file| file.ceiling.as_ref())
    }

    /// Returns what each file says about a flag, the one that wins last.
    pub(super) fn of(&self, flag: &str) -> Vec<Vec<Value<&str>>> {
        self.files
            .iter()
            .map(|file| {
                let entries = file.entries.iter().filter(|entry| entry.flag == flag);
                entries
                    .map(|entry| Value {
                        value: entry.text.as_str(),
                        origin: Origin::File(entry.place.clone()),
                    })
                    .collect::<Vec<_>>()
            })
            .filter(|values| !values.is_empty())
            .collect()
    }

    /// Returns what the file says that wins.
    pub(super) fn winning(&self, flag: &str) -> Vec<Value<&str>> {
        self.of(flag).pop().unwrap_or_default()
    }
}

impl From<Environment> for Layers {
    fn from(environment: Environment) -> Self {
        Self::new(environment, Found::default())
    }
}

#[cfg(test)]
impl<const N: usize> From<[(&str, &str); N]> for Layers {
    fn from(variables: [(&str, &str); N]) -> Self {
        Environment::from(variables).into()
    }
}
