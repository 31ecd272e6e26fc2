//! Local headers and data descriptors: each must repeat the directory, and together they must
//! tile the file up to the directory without a gap or an overlap.

use std::fs::File;

use super::directory::Record;
use super::fields::{Fields, ZIP64, extra, read_at};
use crate::Refusal;

const SIGNATURE: &[u8; 4] = b"PK\x03\x04";
const DESCRIPTOR: &[u8; 4] = b"PK\x07\x08";
/// Bytes of a local header without name and extra fields.
const HEADER: usize = 30;
/// Sizes and checksum follow the data.
const STREAMED: u16 = 1 << 3;
/// Flags that change the meaning of a member: encrypted, name in UTF-8.
const COMPARED_FLAGS: u16 = 1 | 1 << 11;

/// Where a member's packed bytes lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) start: u64,
    pub(super) end: u64,
}

/// What a local header says.
struct Local {
    flags: u16,
    crc: u32,
    packed: u64,
    size: u64,
    placed: Placed,
}

/// Finds every member's bytes and returns the members in the order of the file.
pub(super) fn place(
    archive: &File,
    mut records: Vec<Record>,
    directory_start: u64,
) -> Result<Vec<(Record, Placed)>, Refusal> {
    records.sort_by_key(|record| record.header_start);
    let mut boundary = 0;
    let mut placed = Vec::with_capacity(records.len());
    let starts: Vec<u64> = records
        .iter()
        .skip(1)
        .map(|record| record.header_start)
        .collect();
    let nexts = starts.into_iter().chain([directory_start]);
    for (record, next) in records.into_iter().zip(nexts) {
        if record.header_start != boundary {
            return Err(record.mismatch("data lies before it that belongs to no member"));
        }
        let local = read(archive, &record)?;
        if next < local.placed.end {
            return Err(record.mismatch("it overlaps what follows"));
        }
        descriptor(archive, &record, &local, next)?;
        boundary = next;
        placed.push((record, local.placed));
    }
    if boundary != directory_start {
        return Err(Refusal::ZipMismatch {
            member: "directory".to_owned(),
            why: "data lies before it that belongs to no member",
        });
    }
    Ok(placed)
}

fn read(archive: &File, record: &Record) -> Result<Local, Refusal> {
    let head = read_at(archive, record.header_start, HEADER)?;
    let cut = || Refusal::damaged("a local header that is cut short");
    if !head.starts_with(SIGNATURE) {
        return Err(record.mismatch("no local header stands where the directory says"));
    }
    let mut fields = Fields(&head[6..]);
    let flags = fields.u16().ok_or_else(cut)?;
    let method = fields.u16().ok_or_else(cut)?;
    fields.bytes(4).ok_or_else(cut)?;
    let crc = fields.u32().ok_or_else(cut)?;
    let packed = fields.u32().ok_or_else(cut)?;
    let size = fields.u32().ok_or_else(cut)?;
    let name_length = usize::from(fields.u16().ok_or_else(cut)?);
    let extra_length = usize::from(fields.u16().ok_or_else(cut)?);
    let rest = read_at(
        archive,
        record.header_start + HEADER as u64,
        name_length + extra_length,
    )?;
    let (name, extras) = rest.split_at(name_length);
    if name != record.name {
        return Err(record.mismatch("its local header has another name"));
    }
    if method != record.method || flags & COMPARED_FLAGS != record.flags & COMPARED_FLAGS {
        return Err(record.mismatch("its local header has another method or other flags"));
    }
    let (packed, size) = widen(record, extras, packed, size)?;
    let start = record.header_start + (HEADER + rest.len()) as u64;
    let end = start.checked_add(record.packed).ok_or_else(cut)?;
    let local = Local {
        flags,
        crc,
        packed,
        size,
        placed: Placed { start, end },
    };
    let repeats = says_the_same(record, &local);
    let silent = flags & STREAMED != 0 && crc == 0 && size == 0 && packed == 0;
    if !repeats && !silent {
        return Err(record.mismatch("its local header has another size or checksum"));
    }
    Ok(local)
}

fn says_the_same(record: &Record, local: &Local) -> bool {
    local.crc == record.crc && local.packed == record.packed && local.size == record.size
}

/// In a local header the 64-bit field holds both sizes, the unpacked one first.
fn widen(record: &Record, extras: &[u8], packed: u32, size: u32) -> Result<(u64, u64), Refusal> {
    let narrow = (u64::from(packed), u64::from(size));
    if packed != u32::MAX && size != u32::MAX {
        return Ok(narrow);
    }
    let twice = |()| record.mismatch("an extra field stands twice");
    let Some(field) = extra(extras, ZIP64).map_err(twice)? else {
        return Ok(narrow);
    };
    let mut fields = Fields(field);
    match (fields.u64(), fields.u64()) {
        (Some(size), Some(packed)) => Ok((packed, size)),
        _ => Err(record.mismatch("its 64-bit sizes are missing")),
    }
}

/// Checks what lies between the data and the next header: nothing, or a descriptor if announced.
fn descriptor(archive: &File, record: &Record, local: &Local, next: u64) -> Result<(), Refusal> {
    let gap = next - local.placed.end;
    if gap == 0 && (local.flags & STREAMED == 0 || says_the_same(record, local)) {
        return Ok(());
    }
    if local.flags & STREAMED == 0 || !matches!(gap, 12 | 16 | 20 | 24) {
        return Err(record.mismatch("data follows it that belongs to no member"));
    }
    let bytes = read_at(
        archive,
        local.placed.end,
        usize::try_from(gap).unwrap_or(usize::MAX),
    )?;
    if repeats(&bytes, record) == Some(true) {
        Ok(())
    } else {
        Err(record.mismatch("the descriptor behind its data differs from the directory"))
    }
}

/// Reads a descriptor: its signature is optional, its sizes are narrow or wide; the length tells.
fn repeats(bytes: &[u8], record: &Record) -> Option<bool> {
    let mut fields = Fields(bytes);
    if matches!(bytes.len(), 16 | 24) && fields.bytes(4)? != DESCRIPTOR {
        return Some(false);
    }
    let crc = fields.u32()?;
    let (packed, size) = if bytes.len() >= 20 {
        (fields.u64()?, fields.u64()?)
    } else {
        (u64::from(fields.u32()?), u64::from(fields.u32()?))
    };
    Some(crc == record.crc && packed == record.packed && size == record.size)
}
