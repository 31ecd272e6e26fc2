//! The central directory: one record a member.

use std::borrow::Cow;
use std::fs::File;

use flate2::Crc;

use super::end::End;
use super::fields::{Fields, UNICODE_PATH, ZIP64, extra, read_at};
use crate::Refusal;
use crate::guard::shown;

/// The largest directory that is read, in bytes.
const MAX_DIRECTORY: u64 = 64 << 20;
const SIGNATURE: &[u8; 4] = b"PK\x01\x02";
/// Bits of the flags: encrypted, patch data, strong encryption, masked headers.
const REFUSED_FLAGS: u16 = 1 | 1 << 5 | 1 << 6 | 1 << 13;
/// Hosts whose external attributes hold a Unix mode: Unix and macOS.
const UNIX_HOSTS: [u8; 2] = [3, 19];

/// How a member is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Stored,
    Deflated,
}

/// One record.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) name: Vec<u8>,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) time: u16,
    pub(super) date: u16,
    pub(super) crc: u32,
    pub(super) packed: u64,
    pub(super) size: u64,
    pub(super) header_start: u64,
    host: u8,
    attributes: u32,
    unicode_path: Option<Vec<u8>>,
}

impl Record {
    /// Returns how the member is stored, if it is one of the two ways that are read.
    pub(super) fn method(&self) -> Option<Method> {
        match self.method {
            0 => Some(Method::Stored),
            8 => Some(Method::Deflated),
            _ => None,
        }
    }

    /// Returns the Unix mode, if the writer's system has such.
    pub(super) fn unix_mode(&self) -> Option<u32> {
        UNIX_HOSTS
            .contains(&self.host)
            .then_some(self.attributes >> 16)
    }

    /// Returns the name, from Info-ZIP's field if the plain one is not UTF-8. Two names that
    /// are both readable must be one.
    pub(super) fn effective_name(&self) -> Result<Cow<'_, [u8]>, Refusal> {
        let Some(name) = self
            .unicode_path
            .as_deref()
            .and_then(|field| unicode_name(field, &self.name))
        else {
            return Ok(Cow::Borrowed(&self.name));
        };
        if std::str::from_utf8(&self.name).is_ok() && name != self.name {
            return Err(self.mismatch("its two names differ"));
        }
        Ok(Cow::Borrowed(name))
    }

    /// Returns the time in seconds since 1970, taking the zone-less time for UTC.
    pub(super) fn modified(&self) -> i64 {
        let (date, time) = (i64::from(self.date), i64::from(self.time));
        let (year, month, day) = (1980 + (date >> 9), (date >> 5) & 15, date & 31);
        // Days from civil, with the year starting in March.
        let (shifted, months) = if month > 2 {
            (year, month - 3)
        } else {
            (year - 1, month + 9)
        };
        let days = shifted * 365 + shifted / 4 - shifted / 100
            + shifted / 400
            + (153 * months + 2) / 5
            + day
            - 1;
        (days - 719_468) * 86_400 + (time >> 11) * 3600 + ((time >> 5) & 63) * 60 + (time & 31) * 2
    }

    pub(super) fn mismatch(&self, why: &'static str) -> Refusal {
        Refusal::ZipMismatch {
            member: shown(&self.name),
            why,
        }
    }
}

/// Reads all records; they must fill the directory exactly.
pub(super) fn read(archive: &File, end: &End) -> Result<Vec<Record>, Refusal> {
    if end.directory_size > MAX_DIRECTORY {
        return Err(Refusal::TooHeavy {
            what: "the zip's directory".to_owned(),
            cap: MAX_DIRECTORY,
        });
    }
    let size = usize::try_from(end.directory_size).unwrap_or(usize::MAX);
    let bytes = read_at(archive, end.directory_start, size)?;
    let mut fields = Fields(&bytes);
    let mut records = Vec::new();
    while !fields.0.is_empty() {
        let record = record(&mut fields)
            .ok_or_else(|| Refusal::damaged("a zip's directory with a record that is none"))??;
        records.push(record);
    }
    if records.len() as u64 != end.entries {
        return Err(Refusal::ZipMismatch {
            member: "end record".to_owned(),
            why: "it counts another number of members",
        });
    }
    Ok(records)
}

/// Takes one record off; the outer `None` is damage.
fn record(fields: &mut Fields<'_>) -> Option<Result<Record, Refusal>> {
    if fields.bytes(4)? != SIGNATURE {
        return None;
    }
    let [_, host] = fields.u16()?.to_le_bytes();
    fields.u16()?;
    let (flags, method, time, date) = (fields.u16()?, fields.u16()?, fields.u16()?, fields.u16()?);
    let (crc, packed, size) = (fields.u32()?, fields.u32()?, fields.u32()?);
    let lengths = [fields.u16()?, fields.u16()?, fields.u16()?].map(usize::from);
    let disk = fields.u16()?;
    fields.u16()?;
    let (attributes, header_start) = (fields.u32()?, fields.u32()?);
    let name = fields.bytes(lengths[0])?.to_vec();
    let extras = fields.bytes(lengths[1])?;
    fields.bytes(lengths[2])?;
    let mut record = Record {
        name,
        flags,
        method,
        time,
        date,
        crc,
        packed: u64::from(packed),
        size: u64::from(size),
        header_start: u64::from(header_start),
        host,
        attributes,
        unicode_path: None,
    };
    Some(widen(&mut record, extras, disk).map(|()| record))
}

/// Applies the extra fields and refuses what is not read.
fn widen(record: &mut Record, extras: &[u8], disk: u16) -> Result<(), Refusal> {
    let twice = |()| record.mismatch("an extra field stands twice");
    let zip64 = extra(extras, ZIP64).map_err(twice)?;
    let unicode_path = extra(extras, UNICODE_PATH)
        .map_err(twice)?
        .map(<[u8]>::to_vec);
    if let Some(field) = zip64 {
        let mut fields = Fields(field);
        let missing = || Refusal::ZipMismatch {
            member: shown(&record.name),
            why: "its 64-bit sizes are missing",
        };
        for value in [
            &mut record.size,
            &mut record.packed,
            &mut record.header_start,
        ] {
            if *value == u64::from(u32::MAX) {
                *value = fields.u64().ok_or_else(missing)?;
            }
        }
    }
    record.unicode_path = unicode_path;
    if disk != 0 && disk != 0xffff {
        return Err(record.mismatch("it lies on another disk"));
    }
    if record.flags & REFUSED_FLAGS != 0 {
        return Err(record.mismatch("it is encrypted or a patch"));
    }
    match record.method() {
        None => Err(Refusal::Method {
            member: shown(&record.name),
            method: record.method,
        }),
        Some(Method::Stored) if record.packed != record.size => {
            Err(record.mismatch("it is stored as it is and yet has two sizes"))
        }
        Some(_) => Ok(()),
    }
}

/// Reads version, checksum of the plain name, and name; one with a stale checksum counts for nothing.
fn unicode_name<'a>(field: &'a [u8], plain: &[u8]) -> Option<&'a [u8]> {
    let mut fields = Fields(field);
    let version = fields.bytes(1)?;
    let mut crc = Crc::new();
    crc.update(plain);
    (version == [1] && fields.u32()? == crc.sum()).then_some(fields.0)
}
