//! The moving display of a terminal: one line for each thing that is being made.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// Lines that move, by what they are about.
pub(super) struct Display {
    lines: MultiProgress,
    by_label: Mutex<HashMap<String, ProgressBar>>,
}

impl Display {
    /// Draws on standard error.
    pub(super) fn new() -> Self {
        Self {
            lines: MultiProgress::new(),
            by_label: Mutex::default(),
        }
    }

    /// Shows what is being done to `label`; a line appears with the first word about it.
    pub(super) fn show(&self, label: &str, doing: String) {
        let mut lines = self.by_label.lock().unwrap_or_else(PoisonError::into_inner);
        let line = lines.entry(label.to_owned()).or_insert_with(|| {
            let line = self.lines.add(ProgressBar::new_spinner());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} {msg} {elapsed:>4}")
            {
                line.set_style(style);
            }
            line.set_prefix(label.to_owned());
            line.enable_steady_tick(Duration::from_millis(120));
            line
        });
        line.set_message(doing);
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
