//! From the text of one file to its entries. Pure.

use std::path::Path;
use std::sync::Arc;

use policies::{Document, PolicyError, Section};

use super::key::{Form, KEYS, Key};
use super::{Layer, Place, Say};
use crate::settings::Ceiling;

/// What one file says.
#[derive(Clone, Debug)]
pub(crate) struct Configuration {
    /// The file.
    pub(crate) file: Arc<Path>,
    /// Whose it is.
    pub(crate) layer: Layer,
    /// What is heard, in the order of the file's keys.
    pub(in crate::settings) entries: Vec<Entry>,
    /// The ceiling; the system's file alone may have one.
    pub(crate) ceiling: Option<Ceiling>,
    /// What is not heard, in words.
    pub(crate) notes: Vec<String>,
}

/// One text, as if it had been typed behind its flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::settings) struct Entry {
    pub(in crate::settings) flag: &'static str,
    pub(in crate::settings) text: String,
    pub(in crate::settings) place: Place,
    /// Whether the text is a path that begins at the file's folder.
    pub(in crate::settings) is_path: bool,
}

/// Returns the table of ours in `text`, which came from `file`: all of it, or of a `pyproject.toml`
/// that below `[tool.fumehood]`.
///
/// # Errors
/// If it is no TOML.
pub(super) fn has_table(text: &str, file: &Path) -> Result<bool, PolicyError> {
    // Most projects have none, and what is wrong with their file is no matter of ours.
    if !text.contains("fumehood") {
        return Ok(false);
    }
    let shown = file.display().to_string();
    let document = Document::parse(text, &shown)?;
    let top = document.top();
    // A `tool` that is no table is somebody else's mistake.
    Ok(top
        .table("tool")
        .ok()
        .flatten()
        .is_some_and(|tool| tool.has("fumehood")))
}

/// Reads the text of a file.
///
/// # Errors
/// Names file, line and key.
pub(super) fn read(text: &str, file: &Path, layer: Layer) -> Result<Configuration, PolicyError> {
    let shown = file.display().to_string();
    let document = Document::parse(text, &shown)?;
    let mut configuration = Configuration {
        file: file.into(),
        layer,
        entries: Vec::new(),
        ceiling: None,
        notes: Vec::new(),
    };
    let top = document.top();
    if file
        .file_name()
        .is_some_and(|name| name == "pyproject.toml")
    {
        if let Some(section) = top
            .table("tool")?
            .map(|tool| tool.table("fumehood"))
            .transpose()?
            .flatten()
        {
            configuration.add(&section)?;
        }
    } else {
        configuration.add(&top)?;
    }
    Ok(configuration)
}

impl Configuration {
    fn add(&mut self, section: &Section<'_>) -> Result<(), PolicyError> {
        let mut known: Vec<_> = KEYS.iter().map(|key| key.name).collect();
        if self.layer == Layer::System {
            known.push("ceiling");
        } else if section.has("ceiling") {
            return Err(section.fail(
                "ceiling",
                "only the system's file has a ceiling",
                "leave it out",
            ));
        }
        section.only(&known)?;
        if let Some(ceiling) = section.table("ceiling")? {
            self.ceiling = Some(Ceiling::read(&ceiling, &self.file)?);
        }
        for key in KEYS {
            if !section.has(key.name) {
                continue;
            }
            // Read in any case: what is not heard must not hide a mistake.
            let entries = self.entries_of(key, section)?;
            if self.layer.say(key.rule) == Say::Nothing {
                self.notes.push(format!(
                    "{}:{}: `{}` is not heard: {} may only narrow",
                    self.file.display(),
                    section.line(key.name),
                    key.name,
                    self.layer.word()
                ));
            } else {
                self.entries.extend(entries);
            }
        }
        self.entries.sort_by_key(|entry| entry.place.line);
        Ok(())
    }

    fn entries_of(&self, key: &Key, section: &Section<'_>) -> Result<Vec<Entry>, PolicyError> {
        let line = section.line(key.name);
        let texts: Vec<(usize, String)> = match key.form {
            Form::Word => section
                .word(key.name)?
                .map(|text| (line, text))
                .into_iter()
                .collect(),
            Form::Switch => section
                .truth(key.name)?
                .map(|truth| (line, truth.to_string()))
                .into_iter()
                .collect(),
            Form::List => section
                .lines(key.name)?
                .into_iter()
                .map(|(line, text)| (line, text.to_owned()))
                .collect(),
            Form::Table(sign) => pairs(key, section, sign)?,
        };
        let folder = self.file.parent().unwrap_or(&self.file);
        Ok(texts
            .into_iter()
            .map(|(line, text)| self.entry(key, line, &text, folder))
            .collect())
    }

    fn entry(&self, key: &Key, line: usize, text: &str, folder: &Path) -> Entry {
        Entry {
            flag: key.flag,
            is_path: key.is_path(text),
            text: key.typed(text, folder),
            place: Place {
                file: Arc::clone(&self.file),
                line,
                layer: self.layer,
            },
        }
    }
}

/// Returns the lines of a table as they would be typed.
fn pairs(
    key: &Key,
    section: &Section<'_>,
    sign: char,
) -> Result<Vec<(usize, String)>, PolicyError> {
    let Some(table) = section.table(key.name)? else {
        return Ok(Vec::new());
    };
    let mut pairs = Vec::new();
    for name in table.keys() {
        if name.is_empty() || name.contains(sign) {
            let problem = format!("a key that is empty or holds `{sign}`");
            return Err(table.fail(name, &problem, "write another key"));
        }
        for (line, value) in table.lines(name)? {
            pairs.push((line, format!("{name}{sign}{value}")));
        }
    }
    Ok(pairs)
}
