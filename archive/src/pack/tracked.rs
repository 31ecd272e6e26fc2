//! Whether git tracks something below a folder, read from the repository's index file.
//!
//! git itself is not run: a repository's configuration can name programs.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::PackError;

/// The largest index that is read, in bytes.
const MAX_INDEX: u64 = 64 << 20;
/// Bytes of an entry before its name: times, numbers, a SHA-1 and the flags.
const ENTRY: usize = 62;
/// The largest `.git` file that points elsewhere, in bytes.
const MAX_POINTER: u64 = 4096;

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tracked {
    Yes,
    No,
    /// No folder above is a repository.
    NoRepository,
    /// There is an index that is not understood.
    Unknown,
}

/// Tells whether something below `tree/name` is tracked.
pub(super) fn tracked(tree: &Path, name: &str) -> Result<Tracked, PackError> {
    for work_tree in tree.ancestors() {
        let Some(folder) = git_folder(work_tree)? else {
            continue;
        };
        let inside = tree
            .strip_prefix(work_tree)
            .unwrap_or(Path::new(""))
            .join(name);
        let Some(mut prefix) = inside.to_str().map(|inside| inside.as_bytes().to_vec()) else {
            return Ok(Tracked::Unknown);
        };
        prefix.push(b'/');
        let path = folder.join("index");
        return match bounded(&path, MAX_INDEX) {
            Ok(Some(bytes)) => Ok(holds(&bytes, &prefix)),
            Ok(None) => Ok(Tracked::Unknown),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Tracked::No),
            Err(source) => Err(PackError::Read { path, source }),
        };
    }
    Ok(Tracked::NoRepository)
}

/// Returns the repository's folder, through the file that a work tree or submodule has instead.
fn git_folder(work_tree: &Path) -> Result<Option<PathBuf>, PackError> {
    let path = work_tree.join(".git");
    if path.is_dir() {
        return Ok(Some(path));
    }
    if !path.is_file() {
        return Ok(None);
    }
    let bytes = bounded(&path, MAX_POINTER).map_err(|source| PackError::Read {
        path: path.clone(),
        source,
    })?;
    let text = bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or_default();
    Ok(text
        .strip_prefix("gitdir:")
        .map(|elsewhere| work_tree.join(elsewhere.trim())))
}

/// Reads a file of at most `cap` bytes; `None` if it is larger.
fn bounded(path: &Path, cap: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    fs::metadata(path)?
        .is_file()
        .then_some(())
        .ok_or(io::ErrorKind::InvalidInput)?;
    File::open(path)?.take(cap + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= cap).then_some(bytes))
}

/// Looks for a path with `prefix` in an index of version 2, 3 or 4.
fn holds(index: &[u8], prefix: &[u8]) -> Tracked {
    search(index, prefix).map_or(Tracked::Unknown, |found| {
        if found { Tracked::Yes } else { Tracked::No }
    })
}

fn search(index: &[u8], prefix: &[u8]) -> Option<bool> {
    let rest = index.strip_prefix(b"DIRC")?;
    let version = u32::from_be_bytes(*rest.first_chunk()?);
    let count = u32::from_be_bytes(*rest.get(4..)?.first_chunk()?);
    if !(2..=4).contains(&version) {
        return None;
    }
    let mut at = 12;
    let mut name = Vec::new();
    for _ in 0..count {
        let flags = u16::from_be_bytes(*index.get(at + ENTRY - 2..)?.first_chunk()?);
        let extended = if flags & 0x4000 == 0 { 0 } else { 2 };
        let mut from = at + ENTRY + extended;
        if version == 4 {
            let (drop, length) = offset(index.get(from..)?)?;
            from += length;
            name.truncate(name.len().checked_sub(drop)?);
        } else {
            name.clear();
        }
        let length = index.get(from..)?.iter().position(|byte| *byte == 0)?;
        name.extend_from_slice(&index[from..from + length]);
        if name.starts_with(prefix) {
            return Some(true);
        }
        let end = from + length;
        // Before version 4, one to eight NULs fill an entry up to a multiple of eight.
        at = if version == 4 {
            end + 1
        } else {
            at + ((end - at) / 8 + 1) * 8
        };
    }
    Some(false)
}

/// Reads git's variable-width number; returns it and its length.
fn offset(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0_usize;
    for (at, byte) in bytes.iter().take(9).enumerate() {
        if at > 0 {
            value += 1;
        }
        value = value.checked_mul(128)? + usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, at + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(version: u32, entries: &[(&[u8], &[u8])]) -> Vec<u8> {
        let mut bytes = b"DIRC".to_vec();
        bytes.extend(version.to_be_bytes());
        bytes.extend(u32::try_from(entries.len()).unwrap().to_be_bytes());
        for (head, name) in entries {
            let start = bytes.len();
            bytes.extend([0; ENTRY]);
            bytes.extend(*head);
            bytes.extend(*name);
            bytes.push(0);
            while version < 4 && !(bytes.len() - start).is_multiple_of(8) {
                bytes.push(0);
            }
        }
        bytes
    }

    #[test]
    fn tracked_folders_are_found_in_every_version_of_the_index() {
        let plain = index(2, &[(b"", b"a.py"), (b"", b"build/x"), (b"", b"setup.py")]);
        assert_eq!(holds(&plain, b"build/"), Tracked::Yes);
        assert_eq!(holds(&plain, b"buil/"), Tracked::No);
        assert_eq!(holds(&plain, b"setup.py/"), Tracked::No);
        // `build/x`, then drop one byte and add `y`, then drop seven and add `setup.py`.
        let packed = index(
            4,
            &[(b"\0", b"build/x"), (b"\x01", b"y"), (b"\x07", b"setup.py")],
        );
        assert_eq!(holds(&packed, b"build/"), Tracked::Yes);
        assert_eq!(holds(&packed, b"setup.py"), Tracked::Yes);
        assert_eq!(holds(&packed, b"other/"), Tracked::No);
    }

    #[test]
    fn what_is_no_index_is_unknown() {
        assert_eq!(holds(b"garbage", b"build/"), Tracked::Unknown);
        assert_eq!(holds(&index(9, &[]), b"build/"), Tracked::Unknown);
        let cut = index(2, &[(b"", b"a.py")]);
        assert_eq!(holds(&cut[..40], b"build/"), Tracked::Unknown);
    }
}
