//! What git leaves in room `o`, read as a stranger's: by plain names, bounded, never followed.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;

use cache::Scratch;
use rustix::fs::{Mode, OFlags, openat};

use crate::error::BuildError;

/// Bytes of an answer.
pub(super) const LARGEST: u64 = 256 << 20;

/// Reads what git wrote to its standard output.
pub(super) fn read_answer(scratch: &Scratch) -> Result<Vec<u8>, BuildError> {
    let file = open_output(scratch, "answer")?;
    let mut answer = Vec::new();
    file.take(LARGEST + 1)
        .read_to_end(&mut answer)
        .map_err(|source| unreadable(scratch, "answer", source))?;
    if answer.len() as u64 > LARGEST {
        let source = std::io::ErrorKind::FileTooLarge.into();
        return Err(unreadable(scratch, "answer", source));
    }
    Ok(answer)
}

/// Opens a regular file in room `o` by its plain name, following nothing.
pub(super) fn open_output(scratch: &Scratch, name: &str) -> Result<File, BuildError> {
    let folder = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = openat(scratch.dir(), "o", folder, Mode::empty())
        .and_then(|room| openat(&room, name, flags, Mode::empty()))
        .map(|file: OwnedFd| File::from(file))
        .map_err(std::io::Error::from);
    let file = opened.map_err(|source| unreadable(scratch, name, source))?;
    match file.metadata() {
        Ok(found) if found.is_file() => Ok(file),
        Ok(_) => Err(unreadable(
            scratch,
            name,
            std::io::ErrorKind::InvalidData.into(),
        )),
        Err(source) => Err(unreadable(scratch, name, source)),
    }
}

fn unreadable(scratch: &Scratch, name: &str, source: std::io::Error) -> BuildError {
    BuildError::Io {
        doing: "read git's output",
        path: scratch.path().join("o").join(name),
        source,
    }
}
