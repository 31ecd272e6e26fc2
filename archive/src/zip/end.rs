//! The end of a zip: the end record, its 64-bit twin, and where the central directory lies.

use std::fs::File;

use super::fields::{Fields, read_at};
use crate::Refusal;

const END: &[u8; 4] = b"PK\x05\x06";
const END64: &[u8; 4] = b"PK\x06\x06";
const LOCATOR: &[u8; 4] = b"PK\x06\x07";
/// Bytes of the end record without its comment.
const END_SIZE: usize = 22;
const LOCATOR_SIZE: u64 = 20;
/// Bytes of the 64-bit end record that are read, of its own size field and of its signature.
const END64_SIZE: usize = 56;
const END64_UNCOUNTED: u64 = 12;
/// The longest comment.
const MAX_COMMENT: u64 = 0xffff;

/// Where the central directory lies and how many records it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) entries: u64,
    pub(super) directory_start: u64,
    pub(super) directory_size: u64,
}

/// Finds the end record, which must end with the file, and the directory, which must end with it.
pub(super) fn find(archive: &File, length: u64) -> Result<End, Refusal> {
    let window = length.min(END_SIZE as u64 + MAX_COMMENT);
    let tail_start = length - window;
    let tail = read_at(
        archive,
        tail_start,
        usize::try_from(window).unwrap_or(usize::MAX),
    )?;
    let at = end_record(&tail)?;
    let position = tail_start + at as u64;
    let record = tail.get(at..).unwrap_or_default();
    let narrow =
        narrow(record).ok_or_else(|| Refusal::damaged("an end record that is cut short"))?;
    let (end, before) = match locator(archive, position)? {
        Some(record_start) => (
            wide(archive, record_start, position, &narrow)?,
            record_start,
        ),
        None => (narrow.end, position),
    };
    if narrow.disks != 0 && narrow.disks != 0xffff || narrow.entries_here != narrow.end.entries {
        return Err(mismatch("it is spread over several disks"));
    }
    if end.directory_start.checked_add(end.directory_size) != Some(before) {
        return Err(mismatch(
            "the directory does not end where the end record starts",
        ));
    }
    Ok(end)
}

/// Finds the record whose comment reaches exactly to the end of the file.
fn end_record(tail: &[u8]) -> Result<usize, Refusal> {
    let mut seen = false;
    let mut found = None;
    for at in (0..tail.len().saturating_sub(END_SIZE - 1)).rev() {
        if !tail[at..].starts_with(END) {
            continue;
        }
        seen = true;
        let comment = u16::from_le_bytes([tail[at + 20], tail[at + 21]]);
        if at + END_SIZE + usize::from(comment) != tail.len() {
            continue;
        }
        // A signature inside the comment would let two readers find two directories.
        if tail[at + END_SIZE..]
            .windows(END.len())
            .any(|bytes| bytes == END)
        {
            return Err(mismatch("its comment holds another end record"));
        }
        found = Some(at);
        break;
    }
    match (found, seen) {
        (Some(at), _) => Ok(at),
        (None, true) => Err(Refusal::Trailing { what: "zip" }),
        (None, false) => Err(Refusal::damaged("a zip without an end record")),
    }
}

struct Narrow {
    disks: u16,
    entries_here: u64,
    end: End,
}

fn narrow(record: &[u8]) -> Option<Narrow> {
    let mut fields = Fields(record.get(4..)?);
    let disk = fields.u16()?;
    let directory_disk = fields.u16()?;
    let entries_here = u64::from(fields.u16()?);
    let entries = u64::from(fields.u16()?);
    let directory_size = u64::from(fields.u32()?);
    let directory_start = u64::from(fields.u32()?);
    Some(Narrow {
        disks: disk.max(directory_disk),
        entries_here,
        end: End {
            entries,
            directory_start,
            directory_size,
        },
    })
}

/// Returns where the 64-bit end record starts, if a locator stands before the end record.
fn locator(archive: &File, end_position: u64) -> Result<Option<u64>, Refusal> {
    let Some(position) = end_position.checked_sub(LOCATOR_SIZE) else {
        return Ok(None);
    };
    let bytes = read_at(archive, position, LOCATOR_SIZE as usize)?;
    if !bytes.starts_with(LOCATOR) {
        return Ok(None);
    }
    let mut fields = Fields(&bytes[8..]);
    Ok(fields.u64())
}

/// Reads the 64-bit end record, which must fill the room before its locator and agree with the
/// narrow one wherever that one says something.
fn wide(archive: &File, start: u64, end_position: u64, narrow: &Narrow) -> Result<End, Refusal> {
    let bytes = read_at(archive, start, END64_SIZE)?;
    if !bytes.starts_with(END64) {
        return Err(mismatch("the locator points at no 64-bit end record"));
    }
    let cut = || Refusal::damaged("a 64-bit end record that is cut short");
    let mut fields = Fields(&bytes[4..]);
    let size = fields.u64().ok_or_else(cut)?;
    let locator_start = end_position.saturating_sub(LOCATOR_SIZE);
    if start
        .checked_add(END64_UNCOUNTED)
        .and_then(|at| at.checked_add(size))
        != Some(locator_start)
    {
        return Err(mismatch("data lies between the two end records"));
    }
    fields.bytes(4).ok_or_else(cut)?;
    let disks = fields.u64().ok_or_else(cut)?;
    let entries_here = fields.u64().ok_or_else(cut)?;
    let end = End {
        entries: fields.u64().ok_or_else(cut)?,
        directory_size: fields.u64().ok_or_else(cut)?,
        directory_start: fields.u64().ok_or_else(cut)?,
    };
    let agrees = |said: u64, silent: u32, wide: u64| said == u64::from(silent) || said == wide;
    if disks != 0
        || entries_here != end.entries
        || !agrees(narrow.end.entries, 0xffff, end.entries)
        || !agrees(narrow.end.directory_size, u32::MAX, end.directory_size)
        || !agrees(narrow.end.directory_start, u32::MAX, end.directory_start)
    {
        return Err(mismatch("the two end records differ"));
    }
    Ok(end)
}

fn mismatch(why: &'static str) -> Refusal {
    Refusal::ZipMismatch {
        member: "end record".to_owned(),
        why,
    }
}
