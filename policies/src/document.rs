//! A strict reading of TOML: every complaint names file, line, table and key.
//!
//! What the keys mean is not known here: policies and configuration files are both read this way.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::PolicyError;
use crate::error::Mistake;

/// The most bytes that a file may have.
const MOST: usize = 256 * 1024;

/// A parsed file.
#[derive(Debug)]
pub struct Document<'t> {
    file: &'t str,
    text: &'t str,
    root: Spanned<DeTable<'t>>,
}

impl<'t> Document<'t> {
    /// Parses `text`, which came from `file`.
    ///
    /// # Errors
    /// If it is too large or no TOML.
    pub fn parse(text: &'t str, file: &'t str) -> Result<Self, PolicyError> {
        if text.len() > MOST {
            return Err(PolicyError::TooLarge {
                file: file.to_owned(),
                bytes: text.len(),
                most: MOST,
            });
        }
        let root = DeTable::parse(text).map_err(|error| PolicyError::Syntax {
            file: file.to_owned(),
            line: line_of(text, error.span().map_or(0, |span| span.start)),
            problem: error.message().to_owned(),
        })?;
        Ok(Self { file, text, root })
    }

    /// Returns the table that is the file itself.
    #[must_use]
    pub fn top(&self) -> Section<'_> {
        Section {
            file: self.file,
            text: self.text,
            name: "top of the file".to_owned(),
            start: 0,
            table: self.root.get_ref(),
        }
    }
}

/// One table.
#[derive(Debug)]
pub struct Section<'d> {
    file: &'d str,
    text: &'d str,
    name: String,
    start: usize,
    table: &'d DeTable<'d>,
}

impl<'d> Section<'d> {
    /// Refuses keys that are not among `known`.
    ///
    /// # Errors
    /// Names the first key that is not.
    pub fn only(&self, known: &[&str]) -> Result<(), PolicyError> {
        for key in self.table.keys() {
            let word = key.get_ref().as_ref();
            if !known.contains(&word) {
                return Err(self.fail_at(
                    key.span().start,
                    word,
                    "this key is not known".to_owned(),
                    format!("known here: {}", known.join(", ")),
                ));
            }
        }
        Ok(())
    }

    /// Returns the keys in the order of the alphabet.
    pub fn keys(&self) -> impl Iterator<Item = &'d str> + use<'d> {
        self.table.keys().map(|key| key.get_ref().as_ref())
    }

    /// Returns a string, if the key is there.
    ///
    /// # Errors
    /// If it is no string.
    pub fn text(&self, key: &str) -> Result<Option<&'d str>, PolicyError> {
        self.typed(key, "a string", DeValue::as_str)
    }

    /// Returns a string that must be there and not be blank; `instead` says what to write.
    pub(crate) fn required(&self, key: &str, instead: &str) -> Result<&'d str, PolicyError> {
        match self.text(key)? {
            Some(text) if !text.trim().is_empty() => Ok(text),
            Some(_) => Err(self.fail(key, "it is empty", instead)),
            None => Err(self.fail(key, "it is missing", instead)),
        }
    }

    /// Returns a list of strings, if the key is there.
    ///
    /// # Errors
    /// If it is no such list.
    pub fn texts(&self, key: &str) -> Result<Option<Vec<&'d str>>, PolicyError> {
        self.typed(key, "a list of strings", |value| {
            value
                .as_array()?
                .iter()
                .map(|item| item.get_ref().as_str())
                .collect()
        })
    }

    /// Returns a truth value, if the key is there.
    ///
    /// # Errors
    /// If it is none.
    pub fn truth(&self, key: &str) -> Result<Option<bool>, PolicyError> {
        self.typed(key, "true or false", DeValue::as_bool)
    }

    /// Returns a whole number of at least 1, if the key is there.
    pub(crate) fn count(&self, key: &str) -> Result<Option<u64>, PolicyError> {
        self.typed(key, "a whole number of at least 1", |value| {
            let number = value.as_integer()?;
            u64::from_str_radix(number.as_str(), number.radix())
                .ok()
                .filter(|&number| number > 0)
        })
    }

    /// Returns the table below `key`, if the key is there.
    ///
    /// # Errors
    /// If it is no table.
    pub fn table(&self, key: &str) -> Result<Option<Self>, PolicyError> {
        let inner = self.typed(key, "a table", DeValue::as_table)?;
        let name = match self.name.strip_suffix(']') {
            Some(outer) => format!("{outer}.{key}]"),
            None => format!("[{key}]"),
        };
        Ok(inner.map(|table| self.inner(name, key, table)))
    }

    /// Returns the tables of `[[key]]`; none if the key is not there.
    pub(crate) fn tables(&self, key: &str) -> Result<Vec<Self>, PolicyError> {
        let wanted = "one or more [[tables]]";
        let Some(list) = self.typed(key, wanted, DeValue::as_array)? else {
            return Ok(Vec::new());
        };
        list.iter()
            .enumerate()
            .map(|(number, item)| {
                let name = format!("[[{key}]] {}", number + 1);
                match item.get_ref().as_table() {
                    Some(table) => Ok(Self {
                        start: item.span().start,
                        name,
                        table,
                        ..*self
                    }),
                    None => {
                        Err(self.fail(key, "it is of another kind", &format!("write {wanted}")))
                    }
                }
            })
            .collect()
    }

    /// Returns the strings of a list, or the one string that stands in its place, each with its line.
    ///
    /// # Errors
    /// If it is neither.
    pub fn lines(&self, key: &str) -> Result<Vec<(usize, &'d str)>, PolicyError> {
        let Some((start, value)) = self.find(key) else {
            return Ok(Vec::new());
        };
        if let Some(text) = value.as_str() {
            return Ok(vec![(line_of(self.text, start), text)]);
        }
        let lines = self.typed(key, "a string or a list of strings", |value| {
            value
                .as_array()?
                .iter()
                .map(|item| {
                    let line = line_of(self.text, item.span().start);
                    Some((line, item.get_ref().as_str()?))
                })
                .collect()
        })?;
        Ok(lines.unwrap_or_default())
    }

    /// Returns a string or a whole number as text, if the key is there.
    ///
    /// # Errors
    /// If it is neither.
    pub fn word(&self, key: &str) -> Result<Option<String>, PolicyError> {
        self.typed(key, "a string or a whole number", |value| {
            match (value.as_str(), value.as_integer()) {
                (Some(text), _) => Some(text.to_owned()),
                (None, Some(number)) if number.radix() == 10 => Some(number.as_str().to_owned()),
                _ => None,
            }
        })
    }

    /// Whether the key is there.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.find(key).is_some()
    }

    /// Returns the line of a key, counted from 1; the table's own if the key is not there.
    #[must_use]
    pub fn line(&self, key: &str) -> usize {
        line_of(
            self.text,
            self.find(key).map_or(self.start, |(start, _)| start),
        )
    }

    /// Returns a complaint about `key` of this table.
    #[must_use]
    pub fn fail(&self, key: &str, problem: &str, instead: &str) -> PolicyError {
        let start = self.find(key).map_or(self.start, |(start, _)| start);
        self.fail_at(start, key, problem.to_owned(), instead.to_owned())
    }

    fn fail_at(&self, start: usize, key: &str, problem: String, instead: String) -> PolicyError {
        PolicyError::Written(Box::new(Mistake {
            file: self.file.to_owned(),
            line: line_of(self.text, start),
            table: self.name.clone(),
            key: key.escape_debug().take(80).collect(),
            problem,
            instead,
        }))
    }

    fn inner(&self, name: String, key: &str, table: &'d DeTable<'d>) -> Self {
        Self {
            file: self.file,
            text: self.text,
            name,
            start: self.find(key).map_or(self.start, |(start, _)| start),
            table,
        }
    }

    fn find(&self, wanted: &str) -> Option<(usize, &'d DeValue<'d>)> {
        self.table
            .iter()
            .find(|(key, _)| key.get_ref().as_ref() == wanted)
            .map(|(key, value)| (key.span().start, value.get_ref()))
    }

    fn typed<T>(
        &self,
        key: &str,
        kind: &str,
        take: impl FnOnce(&'d DeValue<'d>) -> Option<T>,
    ) -> Result<Option<T>, PolicyError> {
        let Some((_, value)) = self.find(key) else {
            return Ok(None);
        };
        take(value)
            .map(Some)
            .ok_or_else(|| self.fail(key, "its value does not fit", &format!("write {kind}")))
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    let before = &text.as_bytes()[..offset.min(text.len())];
    before.iter().filter(|&&byte| byte == b'\n').count() + 1
}
