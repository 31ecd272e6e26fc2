//! TOML with the lines of its values.

use std::path::Path;
use std::sync::Arc;

use model::{LinePlace, lenient};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::RequirementsError;

/// A parsed file.
pub(crate) struct TomlText<'t> {
    text: &'t str,
    file: Arc<Path>,
    root: Spanned<DeTable<'t>>,
}

/// A table, and the way to complain about it.
#[derive(Clone)]
pub(crate) struct Table<'d> {
    of: &'d TomlText<'d>,
    name: String,
    start: usize,
    table: &'d DeTable<'d>,
}

impl<'t> TomlText<'t> {
    pub(crate) fn parse(text: &'t str, file: &Arc<Path>) -> Result<Self, RequirementsError> {
        let root = DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let place = LinePlace {
                file: Arc::clone(file),
                line: line_of(text, at),
            };
            let what = format!("it is not TOML: {}", lenient::printable(error.message()));
            RequirementsError::line(&place, what)
        })?;
        Ok(Self {
            text,
            file: Arc::clone(file),
            root,
        })
    }

    pub(crate) fn top(&'t self) -> Table<'t> {
        Table {
            of: self,
            name: String::new(),
            start: 0,
            table: self.root.get_ref(),
        }
    }

    fn place(&self, at: usize) -> LinePlace {
        LinePlace {
            file: Arc::clone(&self.file),
            line: line_of(self.text, at),
        }
    }
}

fn line_of(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    before.matches('\n').count() + 1
}

impl<'d> Table<'d> {
    /// Where it begins.
    pub(crate) fn place(&self) -> LinePlace {
        self.of.place(self.start)
    }

    fn value(&self, key: &str) -> Option<&'d Spanned<DeValue<'d>>> {
        self.table.get(key)
    }

    fn called(&self, key: &str) -> String {
        if self.name.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.name)
        }
    }

    /// Says that a value is not what it has to be.
    pub(crate) fn unfit(&self, key: &str, what: &str) -> RequirementsError {
        let at = self
            .value(key)
            .map_or(self.start, |value| value.span().start);
        RequirementsError::line(
            &self.of.place(at),
            format!("`{}` {what}", lenient::printable(&self.called(key))),
        )
    }

    pub(crate) fn place_of(&self, key: &str) -> LinePlace {
        let at = self
            .value(key)
            .map_or(self.start, |value| value.span().start);
        self.of.place(at)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &'d str> + use<'d> {
        self.table.keys().map(|key| key.get_ref().as_ref())
    }

    pub(crate) fn text(&self, key: &str) -> Result<Option<&'d str>, RequirementsError> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        let text = value.get_ref().as_str();
        text.map(Some)
            .ok_or_else(|| self.unfit(key, "is not a string"))
    }

    pub(crate) fn required(&self, key: &str) -> Result<&'d str, RequirementsError> {
        self.text(key)?.ok_or_else(|| self.unfit(key, "is missing"))
    }

    pub(crate) fn truth(&self, key: &str) -> Result<Option<bool>, RequirementsError> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        let truth = value.get_ref().as_bool();
        truth
            .map(Some)
            .ok_or_else(|| self.unfit(key, "is neither true nor false"))
    }

    pub(crate) fn count(&self, key: &str) -> Result<Option<u64>, RequirementsError> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        let number = value.get_ref().as_integer();
        let number =
            number.and_then(|number| u64::from_str_radix(number.as_str(), number.radix()).ok());
        number
            .map(Some)
            .ok_or_else(|| self.unfit(key, "is not a whole number"))
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Returns a table below, if the key is there.
    pub(crate) fn table(&self, key: &str) -> Result<Option<Self>, RequirementsError> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        let table = value.get_ref().as_table();
        let table = table.ok_or_else(|| self.unfit(key, "is not a table"))?;
        Ok(Some(Self {
            of: self.of,
            name: self.called(key),
            start: value.span().start,
            table,
        }))
    }

    /// Returns a list of tables; an absent key is the empty list.
    pub(crate) fn tables(&self, key: &str) -> Result<Vec<Self>, RequirementsError> {
        self.list(key)?
            .into_iter()
            .map(|item| match item {
                Item::Table(table) => Ok(table),
                _ => Err(self.unfit(key, "is not a list of tables")),
            })
            .collect()
    }

    /// Returns a list of strings, each with its place; an absent key is the empty list.
    pub(crate) fn texts(&self, key: &str) -> Result<Vec<(&'d str, LinePlace)>, RequirementsError> {
        self.list(key)?
            .into_iter()
            .map(|item| match item {
                Item::Text(text, place) => Ok((text, place)),
                _ => Err(self.unfit(key, "is not a list of strings")),
            })
            .collect()
    }

    /// Returns a list; an absent key is the empty one.
    pub(crate) fn list(&self, key: &str) -> Result<Vec<Item<'d>>, RequirementsError> {
        let Some(value) = self.value(key) else {
            return Ok(Vec::new());
        };
        let list = value.get_ref().as_array();
        let list = list.ok_or_else(|| self.unfit(key, "is not a list"))?;
        let items = list.iter().map(|item| {
            let start = item.span().start;
            match item.get_ref() {
                DeValue::String(text) => Item::Text(text, self.of.place(start)),
                DeValue::Table(table) => Item::Table(Self {
                    of: self.of,
                    name: self.called(key),
                    start,
                    table,
                }),
                _ => Item::Other(self.of.place(start)),
            }
        });
        Ok(items.collect())
    }
}

/// An item of a list.
pub(crate) enum Item<'d> {
    Text(&'d str, LinePlace),
    Table(Table<'d>),
    Other(LinePlace),
}
