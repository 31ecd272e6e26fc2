//! Little-endian fields, extra fields and exact reads, shared by the records of a zip.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use crate::Refusal;

/// The extra field that widens sizes and offsets to 64 bits.
pub(super) const ZIP64: u16 = 0x0001;
/// Info-ZIP's extra field with the name in UTF-8.
pub(super) const UNICODE_PATH: u16 = 0x7075;

/// Takes numbers off the front of a slice; a missing byte is `None`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(head)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(*self.bytes(2)?.first_chunk()?))
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(*self.bytes(4)?.first_chunk()?))
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(*self.bytes(8)?.first_chunk()?))
    }
}

/// Finds the one extra field with `tag`. `Err` if there are two of it.
///
/// What does not parse ends the search: old writers left odd bytes there, and nothing else is
/// taken from them.
pub(super) fn extra(bytes: &[u8], tag: u16) -> Result<Option<&[u8]>, ()> {
    let mut fields = Fields(bytes);
    let mut found = None;
    while let (Some(this), Some(length)) = (fields.u16(), fields.u16()) {
        let Some(value) = fields.bytes(usize::from(length)) else {
            break;
        };
        if this == tag && found.replace(value).is_some() {
            return Err(());
        }
    }
    Ok(found)
}

/// Reads exactly `count` bytes at `position`.
pub(super) fn read_at(archive: &File, position: u64, count: usize) -> Result<Vec<u8>, Refusal> {
    let mut bytes = vec![0; count];
    match archive.read_exact_at(&mut bytes, position) {
        Ok(()) => Ok(bytes),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(Refusal::damaged(
            "a record that lies behind the end of the file",
        )),
        Err(error) => Err(Refusal::reading(error)),
    }
}
