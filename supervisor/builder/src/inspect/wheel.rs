//! One wheel, judged from its bytes alone: the rules in their order.

use std::fs::File;

use model::{PackageName, TagSet, Version, WheelFilename};
use sources::CoreMetadata;

use super::contents::Contents;
use super::notes::Notes;
use super::{BadWheel, data, dist_info, entry_points, oddities, record};

/// What a wheel should be.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The project that was asked for, if one was named.
    pub name: Option<&'a PackageName>,
    /// The version that was asked for, if one is known.
    pub version: Option<&'a Version>,
    /// What the interpreter can use.
    pub tags: &'a TagSet,
    /// Refuse oddities that are notes otherwise (`--strict-output`).
    pub strict: bool,
}

/// A wheel that was found to be what it should be.
#[derive(Clone, Debug)]
pub struct Inspected {
    /// The file's name, taken apart.
    pub filename: WheelFilename,
    /// Its METADATA.
    pub metadata: CoreMetadata,
    /// What is worth knowing, printable.
    pub notes: Vec<String>,
}

/// Judges a wheel. `file` must be a copy that no build has open; every byte of it is read.
///
/// # Errors
/// The first rule that is broken.
pub fn inspect(
    file: &File,
    filename: &str,
    expected: &Expected<'_>,
) -> Result<Inspected, BadWheel> {
    let wheel = WheelFilename::parse(filename)?;
    check_asked(&wheel, expected)?;
    if expected.tags.rank(&wheel).is_none() {
        return Err(BadWheel::Tags {
            filename: filename.to_owned(),
        });
    }
    let mut notes = Notes::new(expected.strict);
    let mut contents = Contents::open(file, &mut notes)?;
    let folder = dist_info::find(&contents.members, &wheel, &mut notes)?;
    let metadata = dist_info::metadata(&mut contents, &folder)?;
    check_metadata(&wheel, &metadata)?;
    dist_info::check_wheel_file(&mut contents, &folder, &wheel, &mut notes)?;
    record::check(&mut contents, &folder, &mut notes)?;
    data::check(&contents.members, &wheel, &mut notes)?;
    entry_points::check(&mut contents, &folder, &wheel, &mut notes)?;
    oddities::look(&contents.members, &wheel, &mut notes)?;
    Ok(Inspected {
        filename: wheel,
        metadata,
        notes: notes.into_lines(),
    })
}

fn check_asked(wheel: &WheelFilename, expected: &Expected<'_>) -> Result<(), BadWheel> {
    if let Some(name) = expected.name.filter(|name| **name != wheel.name) {
        return Err(differs(
            "name",
            "the file",
            &wheel.name,
            ("the request", name),
        ));
    }
    match expected.version {
        Some(version) if *version != wheel.version => Err(differs(
            "version",
            "the file",
            &wheel.version,
            ("the request", version),
        )),
        _ => Ok(()),
    }
}

fn check_metadata(wheel: &WheelFilename, metadata: &CoreMetadata) -> Result<(), BadWheel> {
    if metadata.name != wheel.name {
        return Err(differs(
            "name",
            "the file",
            &wheel.name,
            ("METADATA", &metadata.name),
        ));
    }
    if metadata.version != wheel.version {
        return Err(differs(
            "version",
            "the file",
            &wheel.version,
            ("METADATA", &metadata.version),
        ));
    }
    Ok(())
}

fn differs<T: ToString>(
    what: &'static str,
    left_of: &'static str,
    left: &T,
    (right_of, right): (&'static str, &T),
) -> BadWheel {
    BadWheel::Differs {
        what,
        left_of,
        left: left.to_string(),
        right_of,
        right: right.to_string(),
    }
}
