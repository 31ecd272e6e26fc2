//! A member's bytes: inflated, never longer than announced, checked at their end.

use std::fs::File;
use std::io::{self, Read};

use flate2::Crc;
use flate2::read::DeflateDecoder;

use super::directory::{Method, Record};
use super::local::Placed;
use crate::Refusal;
use crate::budget::Source;

/// Reads one member.
pub(super) struct Content<'a> {
    reader: Reader<'a>,
    record: &'a Record,
    count: u64,
    crc: Crc,
}

enum Reader<'a> {
    Stored(Source<'a>),
    Deflated(DeflateDecoder<Source<'a>>),
}

impl<'a> Content<'a> {
    pub(super) fn new(archive: &'a File, record: &'a Record, placed: &Placed) -> Self {
        let source = Source::part(archive, placed.start, placed.end);
        let reader = match record.method() {
            Some(Method::Deflated) => Reader::Deflated(DeflateDecoder::new(source)),
            _ => Reader::Stored(source),
        };
        Self {
            reader,
            record,
            count: 0,
            crc: Crc::new(),
        }
    }

    fn check_end(&self) -> Result<(), Refusal> {
        if self.count != self.record.size {
            return Err(self.record.mismatch("it is shorter than announced"));
        }
        if self.crc.sum() != self.record.crc {
            return Err(self.record.mismatch("its checksum is wrong"));
        }
        match &self.reader {
            Reader::Deflated(decoder) if decoder.total_in() != self.record.packed => Err(self
                .record
                .mismatch("data hides behind its compressed bytes")),
            _ => Ok(()),
        }
    }
}

impl Read for Content<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        let read = match &mut self.reader {
            Reader::Stored(source) => source.read(into),
            Reader::Deflated(decoder) => decoder.read(into),
        };
        let count = read.map_err(|error| io::Error::other(Refusal::of_decoder(error)))?;
        self.count += count as u64;
        if self.count > self.record.size {
            return Err(io::Error::other(
                self.record.mismatch("it is longer than announced"),
            ));
        }
        self.crc.update(&into[..count]);
        if count == 0 {
            self.check_end().map_err(io::Error::other)?;
        }
        Ok(count)
    }
}
