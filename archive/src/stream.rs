//! The bytes of a tar as they come out of its compression, for those who look for something in them.

use std::fs::File;
use std::io::{self, Read as _};

use crate::{Budget, Kind, Refusal, decoder};

/// Hands every piece of the tar inside `archive` to `look`: headers, contents and padding alike.
///
/// # Errors
/// For a zip, which is not a stream, for a kind that only a worker decodes, and for one that can not be
/// read or costs more than the budget.
pub fn pieces(archive: &File, budget: &Budget, mut look: impl FnMut(&[u8])) -> Result<(), Refusal> {
    let kind = Kind::of(archive)?;
    if !kind.decodable_in_supervisor() {
        return Err(Refusal::NeedsWorker { kind });
    }
    let mut stream = decoder::open(archive, kind, budget)?;
    let mut buffer = vec![0; 128 << 10];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => look(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Refusal::of_reader(error)),
        }
    }
}
