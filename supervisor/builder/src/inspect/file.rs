//! Opening a file that somebody names, to look at it.

use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::OFlags;

use crate::error::BuildError;

/// Opens a regular file; not blocking, so that a pipe in its place is an error and no wait.
///
/// # Errors
/// If it is no regular file, or can not be opened.
pub fn open_file(path: &Path) -> Result<File, BuildError> {
    let unread = |source| BuildError::Io {
        doing: "open",
        path: path.to_owned(),
        source,
    };
    let file = File::options()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(path)
        .map_err(unread)?;
    match file.metadata().map_err(unread)?.is_file() {
        true => Ok(file),
        false => Err(unread(io::ErrorKind::InvalidInput.into())),
    }
}
