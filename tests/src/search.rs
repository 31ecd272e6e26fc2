//! Looking through everything that was written.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// Returns the SHA-256 of some bytes in hexadecimal.
#[must_use]
pub fn sha256(content: &[u8]) -> String {
    hex::encode(Sha256::digest(content))
}

/// Lists everything below a folder that is not a folder, links unfollowed. A missing folder holds nothing.
#[must_use]
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(files(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found.sort();
    found
}

/// Returns a file below a folder that holds some bytes, in its name, plainly, or in a member of an archive.
#[must_use]
pub fn find(folder: &Path, needle: &[u8]) -> Option<PathBuf> {
    files(folder).into_iter().find(|path| {
        let name = path.strip_prefix(folder).unwrap_or(path);
        holds(name.as_os_str().as_encoded_bytes(), needle)
            || fs::read(path).is_ok_and(|content| holds(&content, needle))
            || in_zip(path, needle).unwrap_or(false)
            || in_gzip(path, needle).unwrap_or(false)
    })
}

/// Whether some bytes hold others.
#[must_use]
pub fn holds(content: &[u8], needle: &[u8]) -> bool {
    content.windows(needle.len()).any(|part| part == needle)
}

fn in_zip(path: &Path, needle: &[u8]) -> Option<bool> {
    let mut archive = zip::ZipArchive::new(File::open(path).ok()?).ok()?;
    for index in 0..archive.len() {
        let mut content = Vec::new();
        let mut member = archive.by_index(index).ok()?;
        member.read_to_end(&mut content).ok()?;
        if holds(&content, needle)
            || member
                .name()
                .is_ok_and(|name| holds(name.as_bytes(), needle))
        {
            return Some(true);
        }
    }
    Some(false)
}

fn in_gzip(path: &Path, needle: &[u8]) -> Option<bool> {
    let mut content = Vec::new();
    flate2::read::MultiGzDecoder::new(File::open(path).ok()?)
        .read_to_end(&mut content)
        .ok()?;
    Some(holds(&content, needle))
}

/// Returns one member of a wheel.
///
/// # Panics
/// When the file is no archive or has no such member.
#[must_use]
pub fn member(wheel: &Path, name: &str) -> Vec<u8> {
    let file = File::open(wheel).expect("the wheel can be opened");
    let mut archive = zip::ZipArchive::new(file).expect("the wheel is an archive");
    let mut content = Vec::new();
    let mut member = archive.by_name(name).expect("the wheel has the member");
    member
        .read_to_end(&mut content)
        .expect("the member can be read");
    content
}

/// Returns the names of a wheel's members.
///
/// # Panics
/// When the file is no archive.
#[must_use]
pub fn members(wheel: &Path) -> Vec<String> {
    let file = File::open(wheel).expect("the wheel can be opened");
    let archive = zip::ZipArchive::new(file).expect("the wheel is an archive");
    let names = archive.file_names();
    names
        .map(|name| name.expect("names are text").into_owned())
        .collect()
}
