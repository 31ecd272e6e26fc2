//! The moving display of a terminal: one line for each thing that is being made.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// Lines that move, by what they are about.
pub(super) struct Display {
    lines: MultiProgress,
    by_label: Mutex<HashMap<String, ProgressBar>>,
    /// Which line a build has, and what that says beside the build's output.
    by_build: Mutex<HashMap<String, (String, String)>>,
}

impl Display {
    /// Draws on standard error.
    pub(super) fn new() -> Self {
        Self {
            lines: MultiProgress::new(),
            by_label: Mutex::default(),
            by_build: Mutex::default(),
        }
    }

    /// Shows what is being done to `label`; a line appears with the first word about it.
    pub(super) fn show(&self, label: &str, doing: String) {
        let mut lines = self.by_label.lock().unwrap_or_else(PoisonError::into_inner);
        match lines.get(label) {
            Some(line) => line.set_message(doing),
            None => {
                let line = ProgressBar::new_spinner()
                    .with_prefix(label.to_owned())
                    .with_message(doing);
                if let Ok(style) =
                    ProgressStyle::with_template("{spinner} {prefix}: {wide_msg} {elapsed:>4}")
                {
                    line.set_style(style);
                }
                let line = self.lines.add(line);
                line.enable_steady_tick(Duration::from_millis(120));
                lines.insert(label.to_owned(), line);
            }
        }
    }

    /// Shows what a build is at, under the label that its first stage had.
    pub(super) fn show_build(&self, build: &str, label: &str, doing: String) {
        let label = {
            let mut builds = self.by_build.lock().unwrap_or_else(PoisonError::into_inner);
            let (label, said) = builds
                .entry(build.to_owned())
                .or_insert_with(|| (label.to_owned(), String::new()));
            said.clone_from(&doing);
            label.clone()
        };
        self.show(&label, doing);
    }

    /// Shows the last line that a build wrote, beside what it is at.
    pub(super) fn show_output(&self, build: &str, line: &str) {
        let builds = self.by_build.lock().unwrap_or_else(PoisonError::into_inner);
        let known = builds.get(build).cloned();
        drop(builds);
        // What comes after the end of a build has no line any more.
        if let Some((label, doing)) = known {
            self.show(&label, format!("{doing}  {line}"));
        }
    }

    /// Takes the line about a build away.
    pub(super) fn remove_build(&self, build: &str) {
        let label = self
            .by_build
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(build);
        if let Some((label, _)) = label {
            self.remove(&label);
        }
    }

    /// Takes the line about `label` away.
    pub(super) fn remove(&self, label: &str) {
        let line = self
            .by_label
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(label);
        if let Some(line) = line {
            line.finish_and_clear();
            self.lines.remove(&line);
        }
    }

    /// Takes all lines away.
    pub(super) fn clear(&self) {
        let lines =
            std::mem::take(&mut *self.by_label.lock().unwrap_or_else(PoisonError::into_inner));
        for line in lines.into_values() {
            line.finish_and_clear();
        }
        self.lines.clear().ok();
    }

    /// Writes something that stays, above the lines.
    pub(super) fn around(&self, write: impl FnOnce()) {
        self.lines.suspend(write);
    }
}
