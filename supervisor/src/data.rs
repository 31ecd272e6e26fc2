//! Standard output: data only, whole lines, no colours.

use std::io::{ErrorKind, Write as _};

use model::Code;

use crate::render::Problem;

/// Writes `text` to standard output as it is; the caller ends its lines.
///
/// # Errors
/// If it can not be written. A reader that went away is none: it has what it wanted.
pub(crate) fn put(text: &str) -> Result<(), Problem> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => {
            Err(Problem::new(Code::Io, "could not write to standard output").why(error.to_string()))
        }
    }
}
