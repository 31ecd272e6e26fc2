//! Which archive a file is, told from its first bytes and never from its name.

use std::fs::File;
use std::os::unix::fs::FileExt;

use crate::Refusal;

/// How many bytes [`Kind::detect`] wants to see: one tar block.
const HEAD: usize = 512;

/// The archives that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// An uncompressed tar.
    Tar,
    /// A tar in gzip.
    TarGz,
    /// A tar in bzip2.
    TarBz2,
    /// A tar in xz.
    TarXz,
    /// A zip.
    Zip,
}

impl Kind {
    /// Returns the kind that the first 512 bytes of a file announce.
    #[must_use]
    pub fn detect(head: &[u8]) -> Option<Self> {
        match head {
            [0x1f, 0x8b, ..] => Some(Self::TarGz),
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Some(Self::TarBz2),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::TarXz),
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Self::Zip),
            _ => head
                .first_chunk::<HEAD>()
                .filter(|block| is_tar_block(block))
                .map(|_| Self::Tar),
        }
    }

    /// Tells whether the supervisor may decode it; the others are read by a worker.
    #[must_use]
    pub fn decodable_in_supervisor(self) -> bool {
        matches!(self, Self::Tar | Self::TarGz | Self::Zip)
    }

    /// Returns the usual ending of such a file, without the leading dot.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Tar => "tar",
            Self::TarGz => "tar.gz",
            Self::TarBz2 => "tar.bz2",
            Self::TarXz => "tar.xz",
            Self::Zip => "zip",
        }
    }

    /// Reads the kind of an open file.
    ///
    /// # Errors
    /// If it is none that is read, or can not be read.
    pub fn of(archive: &File) -> Result<Self, Refusal> {
        let mut head = [0; HEAD];
        let mut filled = 0;
        while filled < HEAD {
            match archive.read_at(&mut head[filled..], filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Refusal::reading(error)),
            }
        }
        if filled == 0 {
            return Err(Refusal::Empty);
        }
        Self::detect(&head[..filled]).ok_or(Refusal::NotAnArchive)
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.extension())
    }
}

/// A tar has no magic in its oldest form, but each header sums itself; an empty one is two blocks
/// of zeros.
fn is_tar_block(block: &[u8; HEAD]) -> bool {
    if block.iter().all(|byte| *byte == 0) {
        return true;
    }
    let sum: u32 = block
        .iter()
        .enumerate()
        .map(|(at, byte)| {
            if (148..156).contains(&at) {
                32
            } else {
                u32::from(*byte)
            }
        })
        .sum();
    ::tar::Header::from_byte_slice(block)
        .cksum()
        .is_ok_and(|said| said == sum)
}
