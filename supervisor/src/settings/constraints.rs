//! Files of constraints, in the form of pip's requirements files.
//!
//! Requirements, comments and continued lines are understood. Options are refused rather than
//! skipped: a `--hash` that nobody checks is worse than none.

use std::path::Path;

use model::{Requirement, VersionOrUrl};

use super::twin::Twin;
use super::{Layers, SettingsError, Value, places};

/// Bytes that a file of constraints may have.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Returns the constraints of `--constraint`.
///
/// # Errors
/// If a file can not be read, or holds what is no constraint.
pub(crate) fn constraints(
    typed: &[String],
    layers: &Layers,
    directory: &Path,
) -> Result<Vec<Requirement>, SettingsError> {
    let files = Twin::new("--constraint", "FUMEHOOD_CONSTRAINT")
        .every(typed, layers, |text| places::path(text, directory))?;
    let mut all = Vec::new();
    for Value { value, origin } in files {
        for requirement in read(&value)? {
            let is_url = matches!(requirement.version_or_url, Some(VersionOrUrl::Url(_)));
            if is_url || !requirement.extras.is_empty() {
                let what =
                    "a constraint holds a name, versions and a marker, neither a URL nor extras";
                return Err(SettingsError::Unfit {
                    origin,
                    what: format!("{what}: `{}` in {}", requirement.name, value.display()),
                });
            }
            all.push(requirement);
        }
    }
    Ok(all)
}

/// Reads one file.
///
/// # Errors
/// Names the file, and the line that does not fit.
pub(super) fn read(file: &Path) -> Result<Vec<Requirement>, SettingsError> {
    use std::io::Read as _;
    let failed = |source| SettingsError::Read {
        file: file.to_owned(),
        source,
    };
    let mut text = String::new();
    let read = std::fs::File::open(file)
        .and_then(|open| open.take(MAX_BYTES + 1).read_to_string(&mut text))
        .map_err(failed)?;
    if read as u64 > MAX_BYTES {
        return Err(failed(std::io::ErrorKind::FileTooLarge.into()));
    }
    parse(&text, file)
}

/// Understands the text of `file`.
pub(super) fn parse(text: &str, file: &Path) -> Result<Vec<Requirement>, SettingsError> {
    let mut requirements = Vec::new();
    for (line, whole) in logical_lines(text) {
        let requirement = one(&whole).map_err(|what| SettingsError::Line {
            file: file.to_owned(),
            line,
            what,
        })?;
        requirements.extend(requirement);
    }
    Ok(requirements)
}

/// Joins continued lines; each comes with the number of its first line.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut held: Option<(usize, String)> = None;
    for (at, line) in text.lines().enumerate() {
        let (first, mut whole) = held.take().unwrap_or((at + 1, String::new()));
        match line.strip_suffix('\\') {
            Some(continued) => {
                whole.push_str(continued);
                held = Some((first, whole));
            }
            None => {
                whole.push_str(line);
                lines.push((first, whole));
            }
        }
    }
    lines.extend(held);
    lines
}

/// Understands one logical line; `None` if it says nothing.
fn one(line: &str) -> Result<Option<Requirement>, String> {
    // As in pip: a comment starts at the line's beginning or behind white space.
    let line = match line.find(" #").or_else(|| line.find("\t#")) {
        Some(at) => &line[..at],
        None => line,
    };
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    if line.starts_with('-') {
        return Err("an option; a file of constraints holds requirements only".to_owned());
    }
    if line.contains(" --hash") {
        return Err("`--hash` is not checked here yet; take it out to go on without".to_owned());
    }
    line.parse()
        .map(Some)
        .map_err(|error| format!("not a requirement: {error}"))
}
