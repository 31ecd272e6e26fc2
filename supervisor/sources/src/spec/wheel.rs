//! Wheels that are named by where they are: what the name of the file says.

use model::WheelFilename;

use super::SpecError;
use super::fragment::Fragment;
use crate::shown::shown_text;

/// The name of a wheel's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WheelFile {
    /// As it is written; one plain component.
    pub filename: String,
    /// Taken apart.
    pub parts: WheelFilename,
}

/// Reads the name of a file; none if it is not called a wheel. The fragment gets the project's name, and
/// must not contradict it.
pub(super) fn read(
    text: &str,
    filename: &str,
    fragment: &mut Fragment,
) -> Result<Option<Box<WheelFile>>, SpecError> {
    if !is_called_wheel(filename) {
        return Ok(None);
    }
    if fragment.subdirectory.is_some() {
        return Err(SpecError::Unsupported {
            text: shown_text(text),
            what: "a subdirectory of a wheel",
        });
    }
    let parts = WheelFilename::parse(filename).map_err(|source| SpecError::Wheel {
        text: shown_text(text),
        source,
    })?;
    match &fragment.name {
        Some(name) if *name != parts.name => Err(SpecError::OtherProject {
            text: shown_text(text),
            name: name.clone(),
            found: parts.name,
        }),
        _ => {
            fragment.name = Some(parts.name.clone());
            Ok(Some(Box::new(WheelFile {
                filename: filename.to_owned(),
                parts,
            })))
        }
    }
}

/// Whether a name ends as those of wheels do.
pub(super) fn is_called_wheel(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(".whl")
}
