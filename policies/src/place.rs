//! Places: words for paths, so that one policy serves every distribution.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;

use protocol::AbsPath;

use crate::PolicyError;
use crate::document::{Document, Section};

/// One path of a fixed place.
#[derive(Clone, Debug)]
pub(crate) struct PlacePath {
    pub(crate) path: AbsPath,
    /// Left out where one of these exists.
    pub(crate) unless: Vec<AbsPath>,
    pub(crate) why: String,
}

/// What a grant's `place` names.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// The interpreter of this build.
    Interpreter,
    /// The build environment of this build.
    Environment,
    /// A list of paths that are granted where they exist.
    Fixed {
        word: &'static str,
        paths: &'static [PlacePath],
    },
}

static FIXED: LazyLock<BTreeMap<String, Vec<PlacePath>>> = LazyLock::new(|| {
    read(include_str!("../places.toml")).expect("a test reads the file that is compiled in")
});

impl Place {
    /// Returns the place of that name.
    pub(crate) fn named(word: &str) -> Option<Self> {
        match word {
            "interpreter" => Some(Self::Interpreter),
            "environment" => Some(Self::Environment),
            _ => FIXED.get_key_value(word).map(|(word, paths)| Self::Fixed {
                word: word.as_str(),
                paths: paths.as_slice(),
            }),
        }
    }

    /// Returns the word for the place.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Interpreter => "interpreter",
            Self::Environment => "environment",
            Self::Fixed { word, .. } => word,
        }
    }

    /// Returns every word, for complaints.
    pub(crate) fn words() -> String {
        let mut words = vec!["interpreter", "environment"];
        words.extend(FIXED.keys().map(String::as_str));
        words.join(", ")
    }

    /// Whether a grant may let a build write to it.
    pub(crate) fn may_be_written(&self) -> bool {
        matches!(self.word(), "null-device" | "shared-memory")
    }
}

fn read(text: &str) -> Result<BTreeMap<String, Vec<PlacePath>>, PolicyError> {
    let document = Document::parse(text, "places.toml")?;
    let top = document.top();
    top.keys()
        .map(|word| {
            let paths = top
                .tables(word)?
                .iter()
                .map(path)
                .collect::<Result<_, _>>()?;
            Ok((word.to_owned(), paths))
        })
        .collect()
}

fn path(section: &Section<'_>) -> Result<PlacePath, PolicyError> {
    section.only(&["path", "unless", "why"])?;
    let absolute = |key, text: &str| {
        AbsPath::new(PathBuf::from(text))
            .map_err(|error| section.fail(key, &error.to_string(), "write an absolute path"))
    };
    Ok(PlacePath {
        path: absolute("path", section.required("path", "write an absolute path")?)?,
        unless: section
            .texts("unless")?
            .unwrap_or_default()
            .into_iter()
            .map(|text| absolute("unless", text))
            .collect::<Result<_, _>>()?,
        why: section.required("why", "write the reason")?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard;

    #[test]
    fn the_shipped_places_are_valid_and_each_path_has_a_reason() {
        let places = read(include_str!("../places.toml")).unwrap();
        assert!(places.len() >= 10, "{:?}", places.keys());
        for (word, paths) in places {
            let place = Place::named(&word).unwrap();
            assert!(!paths.is_empty(), "{word}");
            for path in paths {
                assert!(path.why.len() > 5, "{word}: {path:?}");
                let shown = path.path.to_string();
                if !place.may_be_written() {
                    guard::path_of_a_policy(&shown).unwrap_or_else(|error| panic!("{error:?}"));
                }
            }
        }
    }
}
