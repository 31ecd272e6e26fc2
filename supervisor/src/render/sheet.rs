//! Findings for people: lines with a label in front, nothing of which acts on a terminal.

use crate::neutralise;

/// Lines with a label in front.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    /// The lines so far.
    pub(crate) text: String,
}

impl Sheet {
    /// Adds a line.
    pub(crate) fn line(&mut self, label: &str, value: &str) {
        let line = format!("{label:<12}{}", neutralise::line(value));
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    /// Adds another line under the same label.
    pub(crate) fn more(&mut self, value: &str) {
        self.line("", value);
    }

    /// Adds a line with a label of its own under the same label.
    pub(crate) fn entry(&mut self, label: &str, value: &str) {
        self.line("", &format!("{label:<14}{value}"));
    }

    /// Adds several lines under one label, none of them if there are none.
    pub(crate) fn list<T: AsRef<str>>(&mut self, label: &str, values: impl IntoIterator<Item = T>) {
        for (at, value) in values.into_iter().enumerate() {
            self.line(if at == 0 { label } else { "" }, value.as_ref());
        }
    }

    /// Adds an empty line.
    pub(crate) fn gap(&mut self) {
        self.text.push('\n');
    }
}
