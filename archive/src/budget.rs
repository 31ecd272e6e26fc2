//! What an archive may cost, and the readers that count it.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::rc::Rc;

use crate::Refusal;

/// Output below this is never called a bomb, whatever its ratio: honest archives hold test data
/// that shrinks to nothing.
const RATIO_FREE: u64 = 32 << 20;
/// What headers and padding may take beside the bytes of files: a part that is always allowed ...
const OVERHEAD: u64 = 64 << 20;
/// ... and a part for each member.
const OVERHEAD_PER_MEMBER: u64 = 4096;

/// What an archive may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Files, folders (named or implied) and links.
    pub members: u64,
    /// Bytes of all files, unpacked.
    pub bytes: u64,
    /// Unpacked size over archive size, counted beyond the first 32 MiB.
    pub ratio: u64,
    /// Components of a name.
    pub depth: u32,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            members: 100_000,
            bytes: 4 << 30,
            ratio: 1000,
            depth: 64,
        }
    }
}

impl Budget {
    /// Refuses growth beyond the ratio.
    pub(crate) fn check_ratio(&self, unpacked: u64, packed: u64) -> Result<(), Refusal> {
        if unpacked > RATIO_FREE && unpacked > packed.saturating_mul(self.ratio) {
            return Err(Refusal::Ratio { ratio: self.ratio });
        }
        Ok(())
    }

    /// Bytes that a decoder may put out: the files and what lies around them.
    fn stream_cap(&self) -> u64 {
        self.bytes
            .saturating_add(OVERHEAD)
            .saturating_add(self.members.saturating_mul(OVERHEAD_PER_MEMBER))
    }
}

/// Reads a part of the archive's file by position, so that the descriptor's own offset is neither
/// used nor moved, and counts what it read.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    file: &'a File,
    position: u64,
    end: u64,
    consumed: Rc<Cell<u64>>,
}

impl<'a> Source<'a> {
    pub(crate) fn whole(file: &'a File) -> Self {
        Self::part(file, 0, u64::MAX)
    }

    pub(crate) fn part(file: &'a File, start: u64, end: u64) -> Self {
        Self {
            file,
            position: start,
            end,
            consumed: Rc::default(),
        }
    }

    pub(crate) fn counter(&self) -> Rc<Cell<u64>> {
        Rc::clone(&self.consumed)
    }
}

impl Read for Source<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.position)).unwrap_or(usize::MAX);
        let wanted = into.len().min(left);
        loop {
            match self.file.read_at(&mut into[..wanted], self.position) {
                Ok(count) => {
                    self.position += count as u64;
                    self.consumed.set(self.consumed.get() + count as u64);
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(io::Error::other(Refusal::reading(error))),
            }
        }
    }
}

/// Watches what a decoder puts out.
pub(crate) struct Bounded<'a> {
    decoder: Box<dyn Read + 'a>,
    consumed: Rc<Cell<u64>>,
    produced: u64,
    budget: Budget,
}

impl<'a> Bounded<'a> {
    pub(crate) fn new(
        decoder: Box<dyn Read + 'a>,
        consumed: Rc<Cell<u64>>,
        budget: &Budget,
    ) -> Self {
        Self {
            decoder,
            consumed,
            produced: 0,
            budget: *budget,
        }
    }

    /// Returns how many bytes came out so far.
    pub(crate) fn produced(&self) -> u64 {
        self.produced
    }
}

impl Read for Bounded<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self
            .decoder
            .read(into)
            .map_err(|error| io::Error::other(Refusal::of_decoder(error)))?;
        self.produced += count as u64;
        self.budget
            .check_ratio(self.produced, self.consumed.get())
            .map_err(io::Error::other)?;
        if self.produced > self.budget.stream_cap() {
            return Err(io::Error::other(Refusal::TooLarge {
                cap: self.budget.bytes,
            }));
        }
        Ok(count)
    }
}

impl std::fmt::Debug for Bounded<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Bounded")
            .field("produced", &self.produced)
            .finish_non_exhaustive()
    }
}
