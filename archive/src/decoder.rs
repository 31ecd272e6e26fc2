//! From a compressed file to the bytes of a tar, bounded in output and memory.
//!
//! gzip and bzip2 may hold several streams in a row and zeros behind the last one, as the usual
//! tools accept it; anything else behind the end is refused.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use bzip2::bufread::BzDecoder;
use flate2::bufread::GzDecoder;
use lzma_rust2::XzReader;

use crate::budget::{Bounded, Source};
use crate::{Budget, Kind, Refusal};

/// Bytes read from the file at once.
const BUFFER: usize = 64 << 10;
/// The largest dictionary of the xz presets is 64 MiB; the decoder needs a little more. In KiB.
const XZ_MEMORY: u32 = 80 << 10;

type Input<'a> = BufReader<Source<'a>>;

/// Opens the tar inside `archive`.
///
/// # Errors
/// Only for a zip, which is not a stream.
pub(crate) fn open<'a>(
    archive: &'a File,
    kind: Kind,
    budget: &Budget,
) -> Result<Bounded<'a>, Refusal> {
    let source = Source::whole(archive);
    let consumed = source.counter();
    let input = BufReader::with_capacity(BUFFER, source);
    let decoder: Box<dyn Read + 'a> = match kind {
        Kind::Tar => Box::new(input),
        Kind::TarGz => Box::new(Streams::new(Stream::Gz(Box::new(GzDecoder::new(input))))),
        Kind::TarBz2 => Box::new(Streams::new(Stream::Bz(BzDecoder::new(input)))),
        Kind::TarXz => Box::new(XzReader::new_mem_limit(input, true, XZ_MEMORY)),
        Kind::Zip => return Err(Refusal::damaged("a zip is not a stream")),
    };
    Ok(Bounded::new(decoder, consumed, budget))
}

/// One compressed stream.
enum Stream<'a> {
    Gz(Box<GzDecoder<Input<'a>>>),
    Bz(BzDecoder<Input<'a>>),
}

impl<'a> Stream<'a> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Gz(decoder) => decoder.read(into),
            Self::Bz(decoder) => decoder.read(into),
        }
    }

    /// Goes on behind the end of a stream: the next one, or `None` after nothing but zeros.
    fn next(self) -> io::Result<Option<Self>> {
        match self {
            Self::Gz(decoder) => {
                let mut input = decoder.into_inner();
                let more = goes_on(&mut input, b"\x1f", "gzip stream")?;
                Ok(more.then(|| Self::Gz(Box::new(GzDecoder::new(input)))))
            }
            Self::Bz(decoder) => {
                let mut input = decoder.into_inner();
                let more = goes_on(&mut input, b"B", "bzip2 stream")?;
                Ok(more.then(|| Self::Bz(BzDecoder::new(input))))
            }
        }
    }
}

/// Streams in a row.
struct Streams<'a> {
    current: Option<Stream<'a>>,
}

impl<'a> Streams<'a> {
    fn new(first: Stream<'a>) -> Self {
        Self {
            current: Some(first),
        }
    }
}

impl Read for Streams<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        while let Some(stream) = &mut self.current {
            let count = stream.read(into)?;
            if count > 0 {
                return Ok(count);
            }
            self.current = match self.current.take() {
                Some(stream) => stream.next()?,
                None => None,
            };
        }
        Ok(0)
    }
}

/// Tells whether another stream starts at `input`; zeros up to the end of the file are padding.
fn goes_on(input: &mut impl BufRead, magic: &[u8], what: &'static str) -> io::Result<bool> {
    let mut padded = false;
    loop {
        let bytes = input.fill_buf()?;
        let Some(first) = bytes.first() else {
            return Ok(false);
        };
        if !padded && magic.first() == Some(first) {
            return Ok(true);
        }
        if bytes.iter().any(|byte| *byte != 0) {
            return Err(io::Error::other(Refusal::Trailing { what }));
        }
        padded = true;
        let count = bytes.len();
        input.consume(count);
    }
}
