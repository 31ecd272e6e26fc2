//! Looking at folders: without following links, and without giving up where one can not be read.

use std::fs::{self, Metadata};
use std::path::Path;

use crate::Size;
use crate::discard::is_gone;

/// One entry of a folder.
pub(super) struct Found {
    pub(super) name: String,
    pub(super) about: Metadata,
}

/// Lists a folder, sorted; what can not be listed is noted. A link in its place is no folder.
pub(super) fn list(folder: &Path, unreadable: &mut Vec<String>) -> Vec<Found> {
    if fs::symlink_metadata(folder).is_ok_and(|found| !found.is_dir()) {
        unreadable.push(format!("{}: it is not a folder", folder.display()));
        return Vec::new();
    }
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            if !is_gone(&error) {
                unreadable.push(format!("{}: {error}", folder.display()));
            }
            return Vec::new();
        }
    };
    let mut found: Vec<_> = entries
        .flatten()
        .filter_map(|entry| {
            Some(Found {
                // A name that is not text is a stranger's, and none of ours is like it.
                name: entry.file_name().to_string_lossy().into_owned(),
                about: entry.metadata().ok()?,
            })
        })
        .collect();
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}

/// Returns what a file or a tree holds, as far as it can be read.
pub(super) fn measure(top: &Path, about: &Metadata) -> Size {
    let mut size = Size::default();
    if !about.is_dir() {
        if about.is_file() {
            (size.files, size.bytes) = (1, about.len());
        }
        return size;
    }
    let mut folders = vec![top.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(found) if found.is_dir() => folders.push(entry.path()),
                Ok(found) if found.is_file() => {
                    size.files += 1;
                    size.bytes += found.len();
                }
                _ => {}
            }
        }
    }
    size
}
