//! One wheel, judged from its bytes alone: the rules in their order.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use model::{PackageName, TagSet, Version, WheelFilename};
use sources::CoreMetadata;

use crate::canary::{Search, Token};

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
    /// What the interpreter can use, if it is for a certain one.
    pub tags: Option<&'a TagSet>,
    /// Refuse oddities that are notes otherwise (`--strict-output`).
    pub strict: bool,
    /// What marks the decoys of its build, none of which may be in it.
    pub token: Option<&'a Token>,
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

/// Everything that is seen of a wheel, whatever rules it breaks.
#[derive(Debug)]
pub struct Examined {
    /// The file's name, taken apart.
    pub filename: WheelFilename,
    /// Its METADATA, if that can be read.
    pub metadata: Option<CoreMetadata>,
    /// Whether RECORD was compared with every file and is right; `None` if it was not come to.
    pub record: Option<bool>,
    /// The programs that installers make, and the functions that they call.
    pub programs: BTreeMap<String, String>,
    /// Files.
    pub files: usize,
    /// Bytes of all files.
    pub bytes: u64,
    /// What is worth knowing, printable.
    pub notes: Vec<String>,
    /// The rules that are broken, in the order in which they are checked.
    pub broken: Vec<BadWheel>,
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
    if expected
        .tags
        .is_some_and(|tags| tags.rank(&wheel).is_none())
    {
        return Err(BadWheel::Tags {
            filename: filename.to_owned(),
        });
    }
    let search = expected.token.map(Search::new);
    let examined = Examined::of(file, wheel, expected.strict, search);
    match (examined.broken.into_iter().next(), examined.metadata) {
        (Some(first), _) => Err(first),
        (None, Some(metadata)) => Ok(Inspected {
            filename: examined.filename,
            metadata,
            notes: examined.notes,
        }),
        (None, None) => Err(BadWheel::Missing {
            member: "METADATA".to_owned(),
        }),
    }
}

/// Looks at everything in a wheel; after a broken rule it goes on where it can. With `strict`,
/// oddities are broken rules.
#[must_use]
pub fn examine(file: &File, filename: WheelFilename, strict: bool) -> Examined {
    Examined::of(file, filename, strict, None)
}

/// Reads the METADATA of a wheel, and nothing else.
///
/// # Errors
/// If it is no sound zip, or has no METADATA that can be used and is that of `wheel`.
pub(crate) fn read_metadata(file: &File, wheel: &WheelFilename) -> Result<CoreMetadata, BadWheel> {
    let mut notes = Notes::new(false);
    let mut contents = Contents::open(file, None, &mut notes)?;
    let folder = dist_info::find(&contents.members, wheel, &mut notes)?;
    let metadata = dist_info::metadata(&mut contents, &folder)?;
    check_metadata(wheel, &metadata)?;
    Ok(metadata)
}

impl Examined {
    fn of(file: &File, filename: WheelFilename, strict: bool, search: Option<Search>) -> Self {
        let mut examined = Self {
            filename,
            metadata: None,
            record: None,
            programs: BTreeMap::new(),
            files: 0,
            bytes: 0,
            notes: Vec::new(),
            broken: Vec::new(),
        };
        let mut notes = Notes::new(strict);
        if let Err(error) = examined.look(file, search, &mut notes) {
            examined.broken.push(error);
        }
        examined.notes = notes.into_lines();
        examined
    }

    /// Looks at everything. An error is one behind which nothing more can be seen.
    fn look(
        &mut self,
        file: &File,
        mut search: Option<Search>,
        notes: &mut Notes,
    ) -> Result<(), BadWheel> {
        if let Some(search) = &mut search {
            self.keep(look_at_bytes(file, search));
        }
        let mut contents = Contents::open(file, search, notes)?;
        self.files = contents.members.len();
        self.bytes = contents.members.values().map(|member| member.size).sum();
        let wheel = self.filename.clone();
        let folder = dist_info::find(&contents.members, &wheel, notes)?;
        let metadata = dist_info::metadata(&mut contents, &folder);
        if let Some(metadata) = self.keep(metadata) {
            self.keep(check_metadata(&wheel, &metadata));
            self.metadata = Some(metadata);
        }
        self.keep(dist_info::check_wheel_file(
            &mut contents,
            &folder,
            &wheel,
            notes,
        ));
        let record = record::check(&mut contents, &folder, notes);
        self.record = Some(self.keep(record).is_some());
        if let Some(member) = contents.decoy.take() {
            // Worse than whatever else is wrong with it.
            self.broken.insert(0, BadWheel::Decoy { member });
        }
        self.keep(data::check(&contents.members, &wheel, notes));
        let programs = entry_points::check(&mut contents, &folder, &wheel, notes);
        self.programs = self.keep(programs).unwrap_or_default();
        self.keep(oddities::look(&contents.members, &wheel, notes));
        Ok(())
    }

    /// Keeps what was seen, or the rule that was broken.
    fn keep<T>(&mut self, seen: Result<T, BadWheel>) -> Option<T> {
        seen.map_err(|error| self.broken.push(error)).ok()
    }
}

/// Looks for a decoy in the file as it is: in names, comments and members that are not compressed.
fn look_at_bytes(file: &File, search: &mut Search) -> Result<(), BadWheel> {
    let mut buffer = vec![0; 128 * 1024];
    let mut at = 0;
    search.begin();
    loop {
        match file.read_at(&mut buffer, at) {
            Ok(0) => return Ok(()),
            Ok(got) if search.push(&buffer[..got]) => {
                return Err(BadWheel::Decoy {
                    member: "the wheel".to_owned(),
                });
            }
            Ok(got) => at += got as u64,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(BadWheel::Io(error)),
        }
    }
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
