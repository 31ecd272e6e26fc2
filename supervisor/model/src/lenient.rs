//! The one lenient door: versions, specifiers and requirements as real metadata writes them.
//!
//! Everything that comes from an index, an archive or a person is parsed here, never by the
//! parsers behind the door: those are stricter than published metadata, panic on some hostile
//! names, and replace `${NAME}` in URLs from the environment of this process.
//!
//! Repairs, as pip and uv make them (each has a test below):
//!
//! | written               | read as            |
//! |-----------------------|--------------------|
//! | `>=40.8.*`, `<4.*`    | `>=40.8`, `<4`     |
//! | `~=3.6.*`             | `~=3.6`            |
//! | `>2.7.x`, `==2.7.X`   | `>2.7`, `==2.7.*`  |
//! | `!=3.0*`              | `!=3.0.*`          |
//! | `!=~5.0`              | `!=5.0.*`          |
//! | `>=1.0,`, `,>=1,,<2`  | without the empty clauses |
//! | `>='1.2'`, `>="1.2"`  | without the quotes |
//! | `>=1.0<2.0`, `>=1 <2` | with the comma     |
//! | `(>=1.0)`             | without the parentheses |
//!
//! Versions get no repair but trimming: what is not a version (`2004d`, `0.1.0-SNAPSHOT`) has no
//! place in the order of versions.

use std::str::FromStr;

use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{ExtraName, PackageName, Requirement};

/// Bytes; longer texts are refused before anything looks at them.
const LONGEST_VERSION: usize = 256;
/// Bytes of a requirement or of a list of specifiers.
const LONGEST_REQUIREMENT: usize = 8 * 1024;
/// Digits in a row; more would overflow where ranges count one up.
const LONGEST_NUMBER: usize = 18;
/// Parentheses within each other in a marker; the parser behind the door recurses.
const DEEPEST_MARKER: usize = 50;
/// Comparisons in a marker; markers become decision diagrams, which can explode.
const MOST_COMPARISONS: usize = 100;
/// Comparisons that are a dimension of their own in such a diagram: `extra`, `in`.
const MOST_DIMENSIONS: usize = 24;

/// The text is not a version of PEP 440.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a version: {why}")]
pub struct NotAVersion {
    /// What was written, shortened and without control characters.
    pub text: String,
    /// Why, in words.
    pub why: String,
}

/// The text is not a list of version specifiers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a list of version specifiers: {why}")]
pub struct NotSpecifiers {
    /// What was written, shortened and without control characters.
    pub text: String,
    /// Why, in words.
    pub why: String,
}

/// The text is not a requirement of PEP 508.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a requirement: {why}{}", at_column(*column))]
pub struct NotARequirement {
    /// What was written, shortened and without control characters.
    pub text: String,
    /// Why, in words.
    pub why: String,
    /// The character of the text where it begins to be wrong, counted from 1, if that is known.
    pub column: Option<usize>,
}

fn at_column(column: Option<usize>) -> String {
    column.map_or_else(String::new, |column| format!(" (column {column})"))
}

/// Reads a version.
///
/// # Errors
/// If the text is no version of PEP 440, or too long.
pub fn version(text: &str) -> Result<Version, NotAVersion> {
    let not = |why: String| NotAVersion {
        text: printable(text),
        why,
    };
    if text.len() > LONGEST_VERSION {
        return Err(not("it is too long".to_owned()));
    }
    numbers_fit(text).map_err(|why| not(why.to_owned()))?;
    Version::from_str(text.trim()).map_err(|error| not(printable(&error.to_string())))
}

/// Reads version specifiers; an empty text is the empty list, which everything fits.
///
/// # Errors
/// If the text is no list of specifiers, also after the repairs.
pub fn specifiers(text: &str) -> Result<VersionSpecifiers, NotSpecifiers> {
    let not = |why: &str| NotSpecifiers {
        text: printable(text),
        why: printable(why),
    };
    if text.len() > LONGEST_REQUIREMENT {
        return Err(not("it is too long"));
    }
    numbers_fit(text).map_err(not)?;
    match VersionSpecifiers::from_str(text.trim()) {
        Ok(specifiers) => Ok(specifiers),
        Err(_) => VersionSpecifiers::from_str(&repaired(text))
            .map_err(|error| not(error.to_string().lines().next().unwrap_or_default())),
    }
}

/// Reads a requirement: a name, extras, specifiers or a URL, and a marker.
///
/// # Errors
/// If the text is no requirement, also after the repairs; if it is longer, deeper or wider than
/// real ones are; if its URL asks for a variable of the environment.
pub fn requirement(text: &str) -> Result<Requirement, NotARequirement> {
    let blank = text.len() - text.trim_start().len();
    let not = |why: &str, at: Option<usize>| NotARequirement {
        text: printable(text),
        why: printable(why),
        column: at
            .and_then(|at| text.get(..blank + at))
            .map(|before| before.chars().count() + 1),
    };
    if text.len() > LONGEST_REQUIREMENT {
        return Err(not("it is too long", None));
    }
    if text.contains("${") {
        return Err(not("it refers to a variable of the environment", None));
    }
    let asked = text.trim();
    if let Some(at) = asked.find(|c: char| c.is_control() && c != '\t') {
        return Err(not("it contains control characters", Some(at)));
    }
    let parts = Parts::of(asked).map_err(|(why, part)| not(why, offset(asked, part)))?;
    parts
        .check()
        .map_err(|(why, part)| not(why, offset(asked, part)))?;
    let wrong = match Requirement::from_str(asked) {
        Ok(requirement) => return Ok(requirement),
        Err(wrong) => not(&wrong.message.to_string(), Some(wrong.start)),
    };
    if parts.is_url() {
        return Err(wrong);
    }
    // Where it is wrong is told of what was written, not of what it was repaired to.
    Requirement::from_str(&parts.repaired()).map_err(|_| wrong)
}

/// Returns where `part` begins in `whole`, of which it is a slice.
fn offset(whole: &str, part: &str) -> Option<usize> {
    let at = (part.as_ptr() as usize).checked_sub(whole.as_ptr() as usize)?;
    (at <= whole.len()).then_some(at)
}

/// What is wrong, and the part where it is.
type Wrong<'a> = (&'static str, &'a str);

/// A requirement cut at its joints, before any part is understood.
struct Parts<'a> {
    /// The name as written.
    name: &'a str,
    /// What stands between the brackets.
    extras: Option<&'a str>,
    /// Specifiers or `@ URL`, trimmed. A URL includes its marker, for `;` may be part of a URL.
    rest: &'a str,
    /// What follows the first `;`.
    marker: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Result<Self, Wrong<'a>> {
        let end = text
            .find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '-' | '_'))
            .unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        let rest = rest.trim_start();
        let (extras, rest) = match rest.strip_prefix('[') {
            None => (None, rest),
            Some(inside) => {
                let (extras, rest) = inside
                    .split_once(']')
                    .ok_or(("the bracket of its extras is not closed", rest))?;
                (Some(extras), rest.trim_start())
            }
        };
        let marker = rest.split_once(';').map(|(_, marker)| marker);
        let rest = match rest.split_once(';') {
            Some((before, _)) if !rest.starts_with('@') => before.trim(),
            _ => rest,
        };
        Ok(Self {
            name,
            extras,
            rest,
            marker,
        })
    }

    fn is_url(&self) -> bool {
        self.rest.starts_with('@')
    }

    /// Refuses everything that the parser behind the door panics or runs away on.
    fn check(&self) -> Result<(), Wrong<'a>> {
        // An empty or dangling name passes the parser's first look and fails its assertion.
        if self.name.is_empty() || PackageName::from_str(self.name).is_err() {
            return Err(("it does not begin with a project's name", self.name));
        }
        for extra in self.extras.into_iter().flat_map(|list| list.split(',')) {
            if !extra.trim().is_empty() && ExtraName::from_str(extra.trim()).is_err() {
                return Err(("an extra has no valid name", extra.trim_start()));
            }
        }
        if !self.is_url() {
            if !self.rest.is_ascii() {
                return Err((
                    "its specifiers contain characters outside of ASCII",
                    self.rest,
                ));
            }
            numbers_fit(self.rest).map_err(|why| (why, self.rest))?;
        }
        self.marker.map_or(Ok(()), |marker| {
            check_marker(marker).map_err(|why| (why, marker.trim_start()))
        })
    }

    fn repaired(&self) -> String {
        let extras = self.extras.map_or_else(String::new, |list| {
            let named: Vec<&str> = list
                .split(',')
                .map(str::trim)
                .filter(|extra| !extra.is_empty())
                .collect();
            format!("[{}]", named.join(","))
        });
        let marker = self
            .marker
            .filter(|marker| !marker.trim().is_empty())
            .map_or_else(String::new, |marker| format!(" ; {marker}"));
        format!("{}{extras} {}{marker}", self.name, repaired(self.rest))
    }
}

fn check_marker(marker: &str) -> Result<(), &'static str> {
    if !marker.is_ascii() {
        return Err("its marker contains characters outside of ASCII");
    }
    numbers_fit(marker)?;
    let (mut depth, mut comparisons) = (0_usize, 0_usize);
    for byte in marker.bytes() {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            b'"' | b'\'' => comparisons += 1,
            _ => {}
        }
        if depth > DEEPEST_MARKER {
            return Err("its marker is nested too deeply");
        }
    }
    let dimensions = marker.matches("extra").count()
        + marker.matches("in ").count()
        + marker.matches("in'").count()
        + marker.matches("in\"").count();
    if comparisons > 2 * MOST_COMPARISONS || dimensions > MOST_DIMENSIONS {
        return Err("its marker has too many comparisons");
    }
    Ok(())
}

fn numbers_fit(text: &str) -> Result<(), &'static str> {
    let long = text
        .split(|c: char| !c.is_ascii_digit())
        .any(|digits| digits.len() > LONGEST_NUMBER);
    if long {
        return Err("a number in it is too long");
    }
    Ok(())
}

/// Repairs a list of specifiers as the table at the top says.
fn repaired(text: &str) -> String {
    let text: String = text.chars().filter(|c| !matches!(c, '"' | '\'')).collect();
    let mut text = text.trim();
    if let Some(inside) = text
        .strip_prefix('(')
        .and_then(|text| text.strip_suffix(')'))
    {
        text = inside;
    }
    let clauses: Vec<String> = text
        .split(',')
        .flat_map(clauses)
        .map(|(operator, version)| repaired_clause(operator, version))
        .collect();
    clauses.join(",")
}

/// Cuts `>=1.0<2.0` into its clauses: an operator and what follows it.
fn clauses(text: &str) -> Vec<(&str, &str)> {
    let is_operator = |c: char| matches!(c, '<' | '>' | '=' | '!' | '~');
    let mut rest = text.trim();
    let mut found = Vec::new();
    while !rest.is_empty() {
        let end = rest.find(|c| !is_operator(c)).unwrap_or(rest.len());
        let (operator, after) = rest.split_at(end);
        let end = after.find(is_operator).unwrap_or(after.len());
        let (version, next) = after.split_at(end);
        found.push((operator, version.trim()));
        rest = next;
    }
    found
}

fn repaired_clause(operator: &str, version: &str) -> String {
    let mut operator = operator;
    let mut version = version.to_owned();
    if let Some(stem) = version
        .strip_suffix(".x")
        .or_else(|| version.strip_suffix(".X"))
    {
        version = format!("{stem}.*");
    }
    if operator == "!=~" {
        operator = "!=";
        if !version.ends_with('*') {
            version.push_str(".*");
        }
    }
    if let Some(stem) = version.strip_suffix('*') {
        let stem = stem.strip_suffix('.').unwrap_or(stem);
        version = match operator {
            "==" | "!=" => format!("{stem}.*"),
            _ => stem.to_owned(),
        };
    }
    format!("{operator}{version}")
}

/// Makes a stranger's text fit for one line of a message: short, one line, no credentials.
#[must_use]
pub fn printable(text: &str) -> String {
    const SHOWN: usize = 120;
    let text = &without_credentials(text);
    let mut shown: String = text
        .chars()
        .take(SHOWN)
        .flat_map(|c| c.escape_debug())
        .collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push_str("...");
    }
    shown.replace("\\\"", "\"").replace("\\'", "'")
}

/// Takes the user information out of everything in `text` that looks like a URL.
#[must_use]
pub fn without_credentials(text: &str) -> String {
    let mut pieces = text.split("://");
    let mut clean = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let end = piece
            .find(|c: char| matches!(c, '/' | '?' | '#') || c.is_whitespace())
            .unwrap_or(piece.len());
        let host = piece[..end].rfind('@').map_or(0, |at| at + 1);
        clean.push_str("://");
        clean.push_str(&piece[host..]);
    }
    clean
}

#[cfg(test)]
mod tests;
