//! Files of requirements and constraints: where they are read from, and which of them may say what.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use requirements::{Collected, Constraint, Extras, Means, RequirementsError, Wish};

use super::{Environment, SettingsError};

/// Bytes that such a file may have.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// Reads what was named; relative paths hang on `directory`.
///
/// # Errors
/// Names the file, and the line that does not fit.
pub(super) fn collect(
    wishes: &[Wish],
    extras: &Extras,
    directory: &Path,
    environment: &Environment,
) -> Result<Collected, SettingsError> {
    let read = |file: &Path| read(&directory.join(file));
    let variable = |name: &str| Some(environment.raw(name)?.to_str()?.to_owned());
    let exists = |path: &Path| directory.join(path).exists();
    let means = Means {
        read: &read,
        variable: &variable,
        exists: &exists,
    };
    Ok(requirements::collect(wishes, extras, &means)?)
}

/// Reads files that hold constraints and nothing else: neither do they ask for something, nor do they
/// say where it comes from.
///
/// # Errors
/// As [`collect`], and if there is something else in them.
pub(super) fn only(
    file: &Path,
    directory: &Path,
    environment: &Environment,
) -> Result<Vec<Constraint>, SettingsError> {
    let wish = Wish::Constraints(file.to_string_lossy().into_owned());
    let collected = collect(&[wish], &Extras::default(), directory, environment)?;
    match collected.beyond_constraints() {
        None => Ok(collected.constraints),
        Some(place) => Err(RequirementsError::Line {
            place,
            column: None,
            what:
                "this file holds constraints alone: neither options nor requirements of their own"
                    .to_owned(),
            fix: Some("type the option for the run".to_owned()),
        }
        .into()),
    }
}

/// Reads a file, whose size is bounded.
fn read(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let open = File::open(file)?;
    if open.metadata()?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    open.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}
