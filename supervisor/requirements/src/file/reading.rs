//! What the lines of one file of requirements say, each by itself.

use std::path::Path;
use std::sync::Arc;

use model::{ConfigSettings, Hashes, LinePlace, lenient};

use super::option::{Meaning, options};
use super::words::split;
use super::{decode, logical};
use crate::RequirementsError;

/// What a line says.
pub(crate) enum Said {
    /// Something to get.
    Requirement {
        /// With the values of variables.
        text: String,
        /// As written.
        written: String,
        hashes: Hashes,
        settings: ConfigSettings,
    },
    /// Another file.
    File { is_constraints: bool, path: String },
    /// Something about everything.
    Option(Meaning, String),
}

/// The lines of a file, in order.
pub(crate) type Read = Vec<(LinePlace, Said)>;

/// Reads the bytes of `file`.
pub(crate) fn read(
    bytes: &[u8],
    file: &Arc<Path>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Read, RequirementsError> {
    let place = |line| LinePlace {
        file: Arc::clone(file),
        line,
    };
    let text = decode(bytes).map_err(|(line, what)| {
        RequirementsError::line(&place(line), what).with(None, Some("save it as UTF-8"))
    })?;
    let lines = logical(&text, variable)
        .map_err(|(line, what)| RequirementsError::line(&place(line), what).with(None, None))?;
    let mut said = Vec::new();
    for line in lines {
        let place = place(line.line);
        let (asked, rest) = split(&line.text);
        let (written, _) = split(&line.written);
        let options = options(rest)
            .map_err(|(what, fix)| RequirementsError::line(&place, what).with(None, fix))?;
        if asked.is_empty() {
            for (meaning, value, name) in options {
                said.push((place.clone(), alone(meaning, value, name, &place)?));
            }
        } else {
            said.push((place.clone(), requirement(asked, written, options, &place)?));
        }
    }
    Ok(said)
}

/// An option on a line without a requirement.
fn alone(
    meaning: Meaning,
    value: String,
    name: &str,
    place: &LinePlace,
) -> Result<Said, RequirementsError> {
    Ok(match meaning {
        Meaning::Requirements | Meaning::Constraints => Said::File {
            is_constraints: meaning == Meaning::Constraints,
            path: value,
        },
        Meaning::Editable => {
            return Err(RequirementsError::Editable {
                place: place.clone(),
                text: lenient::printable(&value),
            });
        }
        _ if meaning.is_of_a_requirement() => {
            let what = format!("`{name}` belongs behind a requirement, on its line");
            return Err(RequirementsError::line(place, what));
        }
        _ => Said::Option(meaning, value),
    })
}

fn requirement(
    asked: &str,
    written: &str,
    options: Vec<(Meaning, String, &'static str)>,
    place: &LinePlace,
) -> Result<Said, RequirementsError> {
    let mut hashes = Hashes::default();
    let mut settings = ConfigSettings::default();
    for (meaning, value, name) in options {
        let taken = match meaning {
            Meaning::Hash => hashes.add(&value),
            Meaning::ConfigSetting => settings.add(&value),
            _ => {
                let what = format!("`{name}` does not belong to a requirement");
                return Err(RequirementsError::line(place, what)
                    .with(None, Some("put it on a line of its own")));
            }
        };
        taken.map_err(|why| RequirementsError::line(place, format!("`{name}`: {why}")))?;
    }
    Ok(Said::Requirement {
        text: asked.to_owned(),
        written: written.to_owned(),
        hashes,
        settings,
    })
}
