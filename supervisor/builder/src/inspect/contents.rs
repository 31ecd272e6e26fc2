//! The members of a wheel, read through the guards and the zip crate.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, SeekFrom};

use archive::Budget;
use zip::ZipArchive;
use zip::result::ZipError;

use super::error::shown;
use super::member::{self, Member};
use super::{BadWheel, notes::Notes};
use crate::canary::Search;

/// The most that is read of a zip's directory to name a duplicate.
const DIRECTORY_CAP: u64 = 64 << 20;
/// The flag that says that a name is in UTF-8.
const UTF8: u16 = 1 << 11;

/// An open wheel.
#[derive(Debug)]
pub(super) struct Contents<'f> {
    zip: ZipArchive<BufReader<&'f File>>,
    /// Files by name.
    pub(super) members: BTreeMap<String, Member>,
    /// Looks for a decoy in everything that is read.
    search: Option<Search>,
    /// The first member in which one was found.
    pub(super) decoy: Option<String>,
}

impl<'f> Contents<'f> {
    /// Opens a wheel and judges the name and the kind of every member.
    pub(super) fn open(
        file: &'f File,
        search: Option<Search>,
        notes: &mut Notes,
    ) -> Result<Self, BadWheel> {
        archive::check_zip(file, &Budget::default()).map_err(BadWheel::Zip)?;
        let mut zip = ZipArchive::new(BufReader::new(file)).map_err(of_zip)?;
        if zip.has_duplicate_names() {
            return Err(BadWheel::Duplicate {
                member: first_duplicate(file, zip.central_directory_start())
                    .unwrap_or_else(|| "a member".to_owned()),
            });
        }
        let mut members = BTreeMap::new();
        for index in 0..zip.len() {
            let Some((name, member)) = judge(&mut zip, index)? else {
                continue;
            };
            let shown = shown(&name);
            if members.insert(name, member).is_some() {
                return Err(BadWheel::Duplicate { member: shown });
            }
        }
        check_tree(&members)?;
        note_modes(&members, notes)?;
        note_case(&members, notes);
        Ok(Self {
            zip,
            members,
            search,
            decoy: None,
        })
    }

    /// Returns a small file's bytes; none if there is no such member.
    pub(super) fn read(&mut self, name: &str, cap: u64) -> Result<Option<Vec<u8>>, BadWheel> {
        let Some(member) = self.members.get(name) else {
            return Ok(None);
        };
        let size = member.size;
        if size > cap {
            return Err(BadWheel::TooLarge {
                member: shown(name),
                size,
                cap,
            });
        }
        let index = member.index;
        let mut bytes = Vec::new();
        self.stream(name, index, size, &mut |chunk| {
            bytes.extend_from_slice(chunk)
        })?;
        Ok(Some(bytes))
    }

    /// Hands all bytes of a member to `sink`, checked against size and checksum.
    pub(super) fn stream(
        &mut self,
        name: &str,
        index: usize,
        size: u64,
        sink: &mut dyn FnMut(&[u8]),
    ) -> Result<(), BadWheel> {
        let wrong = |why| BadWheel::Member {
            member: shown(name),
            why,
        };
        let mut reader = self.zip.by_index(index).map_err(of_zip)?;
        let mut buffer = vec![0; 64 * 1024];
        let mut count = 0_u64;
        if let Some(search) = &mut self.search {
            search.begin();
        }
        loop {
            match reader.read(&mut buffer) {
                Ok(0) if count == size => return Ok(()),
                Ok(0) => return Err(wrong("is shorter than the zip says")),
                Ok(got) => {
                    count += got as u64;
                    if count > size {
                        return Err(wrong("is longer than the zip says"));
                    }
                    if let Some(search) = &mut self.search
                        && search.push(&buffer[..got])
                    {
                        self.decoy.get_or_insert_with(|| shown(name));
                    }
                    sink(&buffer[..got]);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    return Err(BadWheel::Damaged {
                        why: shown(&format!("{name}: {error}")),
                    });
                }
            }
        }
    }
}

/// Judges one member; `None` for a folder.
fn judge(
    zip: &mut ZipArchive<BufReader<&File>>,
    index: usize,
) -> Result<Option<(String, Member)>, BadWheel> {
    let entry = zip.by_index(index).map_err(of_zip)?;
    let raw = String::from_utf8_lossy(entry.name_raw()).into_owned();
    let wrong = |why| BadWheel::Member {
        member: shown(&raw),
        why,
    };
    let name = match std::str::from_utf8(entry.name_raw()) {
        Ok(name) if name.is_ascii() || entry.flags().as_u16() & UTF8 != 0 => name.to_owned(),
        Ok(_) => return Err(wrong("has a name that readers decode in two ways")),
        Err(_) => return Err(wrong("has a name that is not UTF-8")),
    };
    if entry
        .extra_data_fields()
        .any(|field| matches!(field, zip::ExtraField::UnicodePath(_)))
    {
        return Err(wrong("has a second name in an extra field"));
    }
    member::check_name(&name)?;
    let mode = entry.external_attributes() >> 16;
    member::check_kind(&name, mode)?;
    if name.ends_with('/') {
        return match entry.size() {
            0 => Ok(None),
            _ => Err(wrong("is a folder with content")),
        };
    }
    let member = Member {
        index,
        size: entry.size(),
        mode,
    };
    Ok(Some((name, member)))
}

/// Refuses a file where a folder is.
fn check_tree(members: &BTreeMap<String, Member>) -> Result<(), BadWheel> {
    for name in members.keys() {
        let mut end = 0;
        while let Some(at) = name[end..].find('/') {
            let folder = &name[..end + at];
            if members.contains_key(folder) {
                return Err(BadWheel::Member {
                    member: shown(folder),
                    why: "is a file and also the folder of another member",
                });
            }
            end += at + 1;
        }
    }
    Ok(())
}

fn note_modes(members: &BTreeMap<String, Member>, notes: &mut Notes) -> Result<(), BadWheel> {
    let mut special = members.iter().filter(|(_, member)| member.is_special());
    if let Some((first, member)) = special.next() {
        let (mode, more) = (member.mode & 0o7777, special.count());
        let first = shown(first);
        notes.oddity(format!(
            "`{first}` (mode {mode:o}) and {more} more files ask for set-id or sticky bits"
        ))?;
    }
    let mut open = members.iter().filter(|(_, member)| member.is_open_to_all());
    if let Some((first, member)) = open.next() {
        let (mode, more) = (member.mode & 0o7777, open.count());
        let first = shown(first);
        notes.note(format!(
            "`{first}` (mode {mode:o}) and {more} more files ask to be writable by everyone"
        ));
    }
    Ok(())
}

fn note_case(members: &BTreeMap<String, Member>, notes: &mut Notes) {
    let mut folded = BTreeSet::new();
    for name in members.keys() {
        if !folded.insert(name.to_lowercase()) {
            notes.note(format!(
                "`{}` differs from another file only in case",
                shown(name)
            ));
        }
    }
}

/// Finds a name that stands twice in the zip's directory, of which the reader keeps the last only.
fn first_duplicate(file: &File, directory: u64) -> Option<String> {
    let mut bytes = Vec::new();
    let mut reader = file;
    reader.seek(SeekFrom::Start(directory)).ok()?;
    reader.take(DIRECTORY_CAP).read_to_end(&mut bytes).ok()?;
    let mut seen = BTreeSet::new();
    let mut rest = bytes.as_slice();
    while let Some(record) = rest.strip_prefix(b"PK\x01\x02") {
        let length = |at: usize| {
            let bytes = record.get(at..at + 2)?;
            Some(usize::from(u16::from_le_bytes(*bytes.first_chunk()?)))
        };
        let (name, extra, comment) = (length(24)?, length(26)?, length(28)?);
        let text = record.get(42..42 + name)?;
        if !seen.insert(text) {
            return Some(shown(&String::from_utf8_lossy(text)));
        }
        rest = record.get(42 + name + extra + comment..)?;
    }
    None
}

fn of_zip(error: ZipError) -> BadWheel {
    match error {
        ZipError::Io(error) if error.raw_os_error().is_some() => BadWheel::Io(error),
        other => BadWheel::Damaged {
            why: shown(&other.to_string()),
        },
    }
}
