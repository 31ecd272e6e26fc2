//! Tests that could not run because the host lacks something: said at once, counted at the end.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Where the notes lie.
#[derive(Clone, Debug)]
pub struct Unrun {
    folder: PathBuf,
}

impl Unrun {
    /// Returns the notes of the last run of the suite.
    #[must_use]
    pub fn of(target: &Path) -> Self {
        Self {
            folder: target.join("unrun"),
        }
    }

    /// Forgets the notes of an earlier run.
    ///
    /// # Panics
    /// When the folder can not be made.
    #[must_use]
    pub fn fresh(target: &Path) -> Self {
        let notes = Self::of(target);
        let _ = fs::remove_dir_all(&notes.folder);
        fs::create_dir_all(&notes.folder)
            .expect("a folder below Cargo's target folder can be made");
        notes
    }

    /// Notes that a part of the running test can not run, and why.
    ///
    /// # Panics
    /// When the note can not be written.
    pub fn note(&self, lacking: &str) {
        let thread = std::thread::current();
        let test = thread.name().unwrap_or("unnamed").to_owned();
        let text = format!("NOT RUN: {test} ({lacking})\n");
        let name: String = text
            .chars()
            .map(|sign| if sign.is_alphanumeric() { sign } else { '-' })
            .collect();
        fs::write(self.folder.join(name), &text).expect("a note can be written");
        let _ = std::io::stderr().write_all(text.as_bytes());
    }

    /// Returns all notes, sorted.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut notes: Vec<_> = entries
            .filter_map(|entry| fs::read_to_string(entry.path()).ok())
            .collect();
        notes.sort();
        notes
    }
}
