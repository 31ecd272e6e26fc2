//! Config settings of PEP 517: what `-C KEY=VALUE` hands to every hook.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Settings by key; a key given twice has a list of values, as pip and build do it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConfigSettings(BTreeMap<String, Vec<String>>);

impl ConfigSettings {
    /// Adds one `KEY=VALUE`.
    ///
    /// # Errors
    /// If there is no `=` or nothing before it.
    pub fn add(&mut self, text: &str) -> Result<(), String> {
        let (key, value) = text
            .split_once('=')
            .filter(|(key, _)| !key.is_empty())
            .ok_or_else(|| format!("`{text}` is not KEY=VALUE"))?;
        self.0
            .entry(key.to_owned())
            .or_default()
            .push(value.to_owned());
        Ok(())
    }

    /// Returns these with others over them: what the others say about a key replaces what these say.
    #[must_use]
    pub fn under(&self, others: &Self) -> Self {
        let mut all = self.clone();
        let others = others.0.iter();
        all.0
            .extend(others.map(|(key, values)| (key.clone(), values.clone())));
        all
    }

    /// Whether nothing is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the settings as hooks get them: a string, or a list where a key was given twice.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        self.0
            .iter()
            .map(|(key, values)| {
                let value = match values.as_slice() {
                    [one] => serde_json::Value::from(one.clone()),
                    many => serde_json::Value::from(many.to_vec()),
                };
                (key.clone(), value)
            })
            .collect::<serde_json::Map<_, _>>()
            .into()
    }
}
