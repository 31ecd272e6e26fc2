//! The `[build-system]` table of `pyproject.toml`, by the rules of PEP 517 and 518.
//!
//! Reading only: whether the requirements are acceptable and the backend imports is the
//! business of the build.

use model::{Code, NotARequirement, lenient};
use toml::Value;

use crate::names;

/// Bytes; real files have some thousands.
const LONGEST: usize = 4 * 1024 * 1024;
/// Requirements of one file.
const MOST_REQUIREMENTS: usize = 500;
/// Entries of `backend-path`.
const MOST_PATHS: usize = 50;
/// What a tree without the table requires (PEP 517, "the legacy behaviour").
const LEGACY_REQUIRES: &str = "setuptools>=40.8.0";

/// What a source tree says about how it is built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildSystem {
    /// Requirements as written; each can be read.
    pub requires: Vec<String>,
    /// `module:object` of the backend; none means the legacy backend of setuptools.
    pub backend: Option<String>,
    /// Folders with the backend's code, relative to the tree, without `..`.
    pub backend_path: Vec<String>,
}

/// `pyproject.toml` breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PyprojectError {
    /// It is longer than any real one.
    #[error("`pyproject.toml` has {bytes} bytes, at most {LONGEST} are read")]
    TooLong {
        /// Bytes.
        bytes: usize,
    },
    /// It is not UTF-8.
    #[error("`pyproject.toml` is not UTF-8 (byte {at})")]
    NotText {
        /// Where the first wrong byte is.
        at: usize,
    },
    /// It is not TOML.
    #[error("`pyproject.toml` is not TOML: line {line}: {why}")]
    NotToml {
        /// Counted from 1.
        line: usize,
        /// Why, neutralised.
        why: String,
    },
    /// `build-system` is not a table.
    #[error("`build-system` in `pyproject.toml` is {found}, not a table")]
    NotATable {
        /// What it is.
        found: &'static str,
    },
    /// `build-system.requires` is missing.
    #[error("`build-system` in `pyproject.toml` has no `requires`")]
    NoRequires,
    /// `build-system.requires` is not a list of strings.
    #[error("`build-system.{key}` in `pyproject.toml` is {found}, not a list of strings")]
    NotAList {
        /// The key.
        key: &'static str,
        /// What it is, or has in it.
        found: &'static str,
    },
    /// A list is longer than any real one.
    #[error(
        "`build-system.{key}` in `pyproject.toml` has {count} entries, at most {most} are read"
    )]
    TooMany {
        /// The key.
        key: &'static str,
        /// Entries.
        count: usize,
        /// The limit.
        most: usize,
    },
    /// A requirement can not be read.
    #[error("`build-system.requires` in `pyproject.toml` has an entry that is no requirement")]
    Requirement {
        /// Why.
        #[source]
        source: NotARequirement,
    },
    /// `build-backend` is not a string.
    #[error("`build-system.build-backend` in `pyproject.toml` is {found}, not a string")]
    BackendNotAString {
        /// What it is.
        found: &'static str,
    },
    /// `build-backend` does not name a Python object.
    #[error(
        "`{backend}`, the `build-backend` in `pyproject.toml`, is not `module` or `module:object`"
    )]
    BackendNotAName {
        /// As written, neutralised.
        backend: String,
    },
    /// An entry of `backend-path` leads out of the tree.
    #[error("`{path}` in `build-system.backend-path` in `pyproject.toml` {why}")]
    BackendPath {
        /// As written, neutralised.
        path: String,
        /// Which rule it breaks.
        why: &'static str,
    },
}

impl PyprojectError {
    /// Returns the stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        Code::BadPyproject
    }
}

impl BuildSystem {
    /// What a tree without `[build-system]` means: setuptools, as `setup.py` would be run.
    #[must_use]
    pub fn legacy() -> Self {
        Self {
            requires: vec![LEGACY_REQUIRES.to_owned()],
            backend: None,
            backend_path: Vec::new(),
        }
    }

    /// Whether it keeps the rules that reading a file checks; for what was kept elsewhere.
    pub(crate) fn is_valid(&self) -> bool {
        let strings = |texts: &[String]| {
            Value::Array(
                texts
                    .iter()
                    .map(|text| Value::String(text.clone()))
                    .collect(),
            )
        };
        let backend_fits = |text: &String| backend(&Value::String(text.clone())).is_ok();
        requires(&strings(&self.requires)).is_ok()
            && self.backend.as_ref().is_none_or(backend_fits)
            && backend_path(&strings(&self.backend_path)).is_ok()
    }

    /// Reads the table; no file and no table both mean the legacy.
    ///
    /// # Errors
    /// If the file is no TOML or the table breaks a rule of PEP 517 or 518.
    pub fn from_pyproject(text: Option<&[u8]>) -> Result<Self, PyprojectError> {
        let Some(bytes) = text else {
            return Ok(Self::legacy());
        };
        let document = parse(bytes)?;
        let table = match document.get("build-system") {
            None => return Ok(Self::legacy()),
            Some(Value::Table(table)) => table,
            Some(other) => {
                return Err(PyprojectError::NotATable { found: kind(other) });
            }
        };
        Ok(Self {
            requires: requires(table.get("requires").ok_or(PyprojectError::NoRequires)?)?,
            backend: table.get("build-backend").map(backend).transpose()?,
            backend_path: table
                .get("backend-path")
                .map_or(Ok(Vec::new()), backend_path)?,
        })
    }
}

pub(crate) fn parse(bytes: &[u8]) -> Result<toml::Table, PyprojectError> {
    if bytes.len() > LONGEST {
        return Err(PyprojectError::TooLong { bytes: bytes.len() });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| PyprojectError::NotText {
        at: error.valid_up_to(),
    })?;
    text.parse().map_err(|error: toml::de::Error| {
        let at = error.span().map_or(0, |span| span.start);
        let before = text.get(..at).unwrap_or_default();
        PyprojectError::NotToml {
            line: before.matches('\n').count() + 1,
            why: names::printable(error.message()),
        }
    })
}

fn requires(value: &Value) -> Result<Vec<String>, PyprojectError> {
    let requires = strings("requires", value, MOST_REQUIREMENTS)?;
    for text in &requires {
        lenient::requirement(text).map_err(|source| PyprojectError::Requirement { source })?;
    }
    Ok(requires)
}

fn backend(value: &Value) -> Result<String, PyprojectError> {
    let Value::String(text) = value else {
        return Err(PyprojectError::BackendNotAString { found: kind(value) });
    };
    let (module, object) = text.split_once(':').unwrap_or((text, "object"));
    if is_dotted(module) && is_dotted(object) {
        Ok(text.clone())
    } else {
        Err(PyprojectError::BackendNotAName {
            backend: names::printable(text),
        })
    }
}

/// Whether the text is Python names with dots between.
fn is_dotted(text: &str) -> bool {
    text.len() <= 1000
        && text.split('.').all(|part| {
            part.starts_with(|first: char| first == '_' || first.is_alphabetic())
                && part
                    .chars()
                    .all(|rest| rest == '_' || rest.is_alphanumeric())
        })
}

fn backend_path(value: &Value) -> Result<Vec<String>, PyprojectError> {
    let paths = strings("backend-path", value, MOST_PATHS)?;
    for path in &paths {
        let refused = if path.is_empty() {
            Some("is empty")
        } else if path.starts_with('/') {
            Some("is absolute, it has to be relative to the project")
        } else if path.split('/').any(|part| part == "..") {
            Some("leads out of the project")
        } else if path.chars().any(char::is_control) {
            Some("has control characters in it")
        } else {
            None
        };
        if let Some(why) = refused {
            return Err(PyprojectError::BackendPath {
                path: names::printable(path),
                why,
            });
        }
    }
    Ok(paths)
}

fn strings(key: &'static str, value: &Value, most: usize) -> Result<Vec<String>, PyprojectError> {
    let Value::Array(entries) = value else {
        return Err(PyprojectError::NotAList {
            key,
            found: kind(value),
        });
    };
    if entries.len() > most {
        return Err(PyprojectError::TooMany {
            key,
            count: entries.len(),
            most,
        });
    }
    entries
        .iter()
        .map(|entry| match entry {
            Value::String(text) => Ok(text.clone()),
            other => Err(PyprojectError::NotAList {
                key,
                found: match kind(other) {
                    "a number" => "a list with a number",
                    "a list" => "a list with a list",
                    "a table" => "a list with a table",
                    _ => "a list with something else",
                },
            }),
        })
        .collect()
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a string",
        Value::Integer(_) | Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a table",
    }
}

#[cfg(test)]
mod tests;
