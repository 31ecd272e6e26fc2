//! The rules on one member of a wheel: its name and what kind of thing it is. Pure.

use super::BadWheel;
use super::error::shown;

const LONGEST_PART: usize = 255;
const LONGEST: usize = 1024;
const DEEPEST: usize = 64;

const TYPE: u32 = 0o170_000;
const FOLDER: u32 = 0o040_000;
const REGULAR: u32 = 0o100_000;
const SYMLINK: u32 = 0o120_000;
const SET_ID_OR_STICKY: u32 = 0o7000;
const WRITABLE_BY_ALL: u32 = 0o002;

/// One member that is a file.
#[derive(Clone, Debug)]
pub(super) struct Member {
    /// Its place in the zip's directory.
    pub(super) index: usize,
    /// Bytes, unpacked.
    pub(super) size: u64,
    /// The Unix mode, 0 if there is none.
    pub(super) mode: u32,
}

impl Member {
    /// Whether it asks for set-id or sticky bits, which no installer should give it.
    pub(super) fn is_special(&self) -> bool {
        self.mode & SET_ID_OR_STICKY != 0
    }

    /// Whether it asks to be writable by everyone; wheels that were made on Windows often do.
    pub(super) fn is_open_to_all(&self) -> bool {
        self.mode & WRITABLE_BY_ALL != 0
    }
}

/// Checks that a name is relative, in one spelling, and plain; a folder's name ends with `/`.
pub(super) fn check_name(name: &str) -> Result<(), BadWheel> {
    let bad = |why| {
        Err(BadWheel::Member {
            member: shown(name),
            why,
        })
    };
    if name.is_empty() || name == "/" {
        return bad("has no name");
    }
    if name.len() > LONGEST {
        return bad("has a name of more than 1,024 bytes");
    }
    if name.starts_with('/') {
        return bad("has an absolute name");
    }
    if name.contains('\\') {
        return bad("has a backslash in its name, which is a folder to some installers");
    }
    if name.chars().any(char::is_control) {
        return bad("has a control character in its name");
    }
    let plain = name.strip_suffix('/').unwrap_or(name);
    for (depth, part) in plain.split('/').enumerate() {
        match part {
            ".." => return bad("climbs out with `..`"),
            "" | "." => return bad("has an empty part or a `.` in its name"),
            _ if part.len() > LONGEST_PART => {
                return bad("has a part of more than 255 bytes in its name");
            }
            _ if depth >= DEEPEST => return bad("lies more than 64 folders deep"),
            _ => {}
        }
    }
    let drive = matches!(plain.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    match drive {
        true => bad("begins with the name of a drive"),
        false => Ok(()),
    }
}

/// Checks that the mode is that of a file, or of a folder if the name is a folder's.
///
/// The mode is believed whatever system the writer claims: some installers do so too.
pub(super) fn check_kind(name: &str, mode: u32) -> Result<(), BadWheel> {
    let is_folder = name.ends_with('/');
    let why = match mode & TYPE {
        0 => return Ok(()),
        REGULAR if !is_folder => return Ok(()),
        FOLDER if is_folder => return Ok(()),
        REGULAR => "is a file by its mode and a folder by its name",
        FOLDER => "is a folder by its mode and a file by its name",
        SYMLINK => "is a symbolic link",
        _ => "is a device, a FIFO or a socket",
    };
    Err(BadWheel::Member {
        member: shown(name),
        why,
    })
}
