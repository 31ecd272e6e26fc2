//! One thing that is wanted together with what it requires: a spec, extras of it, and when it counts.
//!
//! A requirement has its extras and its marker inside. Of a URL or a path they are taken off here, for
//! what is left is what a source is found by.

use std::path::Path;
use std::str::FromStr as _;

use model::{ExtraName, Hashes, LinePlace, MarkerEnvironment, MarkerTree, Requirement};

use crate::shown::shown_text;
use crate::{Spec, SpecError};

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// What it is.
    pub spec: Spec,
    /// Extras of a URL or path; a requirement has its own.
    pub extras: Vec<ExtraName>,
    /// When it counts; a requirement has its own.
    pub marker: MarkerTree,
    /// Where it stands, in words that follow "is asked for": `in requirements.txt, line 3`. Empty for
    /// the command line.
    pub origin: String,
    /// The line that asks for it; none for the command line.
    pub place: Option<LinePlace>,
    /// What its file has to be; none if nobody said.
    pub hashes: Hashes,
}

impl From<Spec> for Wanted {
    fn from(spec: Spec) -> Self {
        Self {
            spec,
            extras: Vec::new(),
            marker: MarkerTree::TRUE,
            origin: String::new(),
            place: None,
            hashes: Hashes::default(),
        }
    }
}

impl From<Requirement> for Wanted {
    fn from(requirement: Requirement) -> Self {
        Spec::Named(requirement).into()
    }
}

impl Wanted {
    /// Reads what was asked for; relative paths are relative to `cwd`. On top of what [`Spec::parse`] reads
    /// there are `NAME[EXTRA] @ URL ; MARKER`, `URL ; MARKER` and `PATH[EXTRA]`.
    ///
    /// # Errors
    /// If it is nothing that can be built, with the reason in words.
    pub fn parse(text: &str, cwd: &Path) -> Result<Self, SpecError> {
        let text = text.trim();
        let (rest, marker) = split_marker(text)?;
        let (rest, extras) = split_extras(&rest, text, cwd)?;
        Ok(Self {
            extras,
            marker,
            ..Spec::parse(&rest, cwd)?.into()
        })
    }

    /// The same, in a line with hashes.
    #[must_use]
    pub fn at(self, place: LinePlace, hashes: Hashes) -> Self {
        Self {
            origin: format!(
                "in {}, line {}",
                shown_text(&place.file.to_string_lossy()),
                place.line
            ),
            place: Some(place),
            hashes,
            ..self
        }
    }

    /// Returns the extras that are wanted, wherever they stand.
    #[must_use]
    pub fn extras(&self) -> &[ExtraName] {
        match &self.spec {
            Spec::Named(requirement) => &requirement.extras,
            _ => &self.extras,
        }
    }

    /// Whether it counts here.
    #[must_use]
    pub fn applies(&self, markers: &MarkerEnvironment) -> bool {
        let own = match &self.spec {
            Spec::Named(requirement) => &requirement.marker,
            _ => &self.marker,
        };
        own.evaluate(markers, &[])
    }
}

/// Takes `; MARKER` off a URL or a path: there a marker follows white space, for a `;` may be part of it.
fn split_marker(text: &str) -> Result<(String, MarkerTree), SpecError> {
    let split = text.find(" ;").or_else(|| text.find("\t;")).filter(|at| {
        let before = &text[..*at];
        before.contains(['/', '@']) || before.starts_with('.') || before.ends_with(".whl")
    });
    let Some(at) = split else {
        return Ok((text.to_owned(), MarkerTree::TRUE));
    };
    let marker = text[at..].trim_start().trim_start_matches(';').trim();
    let marker = MarkerTree::from_str(marker).map_err(|error| SpecError::Url {
        text: shown_text(text),
        why: format!("the marker behind it is none: {}", error.message),
    })?;
    Ok((text[..at].trim_end().to_owned(), marker))
}

/// Takes `[EXTRA,...]` off: before the `@` of a URL, or behind a path that exists without it.
fn split_extras(
    text: &str,
    whole: &str,
    cwd: &Path,
) -> Result<(String, Vec<ExtraName>), SpecError> {
    let none = (text.to_owned(), Vec::new());
    let (before, rest, after) = match text.split_once('@') {
        Some((before, address)) if before.trim_end().ends_with(']') => {
            let Some((name, rest)) = before.split_once('[') else {
                return Ok(none);
            };
            (name, rest, format!(" @ {}", address.trim_start()))
        }
        _ => match text.rsplit_once('[') {
            Some((path, rest))
                if rest.ends_with(']')
                    && (path.contains('/') || path.starts_with('.') || path.ends_with(".whl"))
                    && cwd.join(path).exists()
                    && !cwd.join(text).exists() =>
            {
                (path, rest, String::new())
            }
            _ => return Ok(none),
        },
    };
    let extras = rest.trim_end().trim_end_matches(']').split(',');
    let extras = extras
        .map(str::trim)
        .filter(|extra| !extra.is_empty())
        .map(|extra| {
            ExtraName::from_str(extra).map_err(|_| SpecError::Url {
                text: shown_text(whole),
                why: "what is between the brackets are no names of extras".to_owned(),
            })
        });
    let extras = extras.collect::<Result<Vec<_>, _>>()?;
    Ok((format!("{}{after}", before.trim_end()), extras))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Wanted {
        Wanted::parse(text, Path::new("/")).expect(text)
    }

    #[test]
    fn a_url_keeps_its_extras_and_its_marker() {
        let wanted =
            parse("foo[a, B] @ https://example.invalid/foo-1.0.tar.gz ; python_version < '3'");
        assert_eq!(wanted.extras.len(), 2);
        assert_eq!(
            wanted.spec.name().map(ToString::to_string),
            Some("foo".into())
        );
        assert!(!wanted.marker.is_true());
        let wanted = parse("https://example.invalid/foo-1.0.tar.gz");
        assert!(wanted.extras.is_empty() && wanted.marker.is_true());
        let wanted = parse("git+https://git@example.invalid/foo@v1 ; os_name == 'nt'");
        assert!(matches!(wanted.spec, Spec::Git { .. }) && !wanted.marker.is_true());
    }

    #[test]
    fn a_requirement_has_its_own() {
        let wanted = parse("foo[a]>=1; python_version < '3'");
        assert_eq!(wanted.extras().len(), 1);
        assert!(wanted.extras.is_empty() && wanted.marker.is_true());
    }

    #[test]
    fn a_folder_may_have_extras_behind_it() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("tree")).expect("a folder");
        let wanted = Wanted::parse("./tree[test]", folder.path()).expect("a folder with an extra");
        assert_eq!(wanted.extras.len(), 1);
        assert!(matches!(wanted.spec, Spec::Directory { .. }));
    }

    #[test]
    fn what_is_no_marker_is_refused_without_credentials() {
        let text = "foo @ https://me:secret@example.invalid/foo.tar.gz ; what";
        let error = Wanted::parse(text, Path::new("/")).expect_err("no marker");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
