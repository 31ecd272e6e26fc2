//! What is said about a wheel that is taken: notes, and oddities that a strict caller refuses.

use super::BadWheel;

/// Notes of one kind beyond this many are counted, not listed.
const MOST: usize = 50;

/// Collects notes.
#[derive(Debug)]
pub(super) struct Notes {
    strict: bool,
    lines: Vec<String>,
    left_out: usize,
}

impl Notes {
    pub(super) fn new(strict: bool) -> Self {
        Self {
            strict,
            lines: Vec::new(),
            left_out: 0,
        }
    }

    /// Adds something worth knowing; it is never a reason to refuse.
    pub(super) fn note(&mut self, line: String) {
        match self.lines.len() < MOST {
            true => self.lines.push(line),
            false => self.left_out += 1,
        }
    }

    /// Adds something that honest wheels seldom have and hostile ones need.
    pub(super) fn oddity(&mut self, oddity: String) -> Result<(), BadWheel> {
        if self.strict {
            return Err(BadWheel::Odd { oddity });
        }
        self.note(oddity);
        Ok(())
    }

    /// Returns the lines in the order in which they were found.
    pub(super) fn into_lines(mut self) -> Vec<String> {
        if self.left_out > 0 {
            self.lines
                .push(format!("{} more notes were left out", self.left_out));
        }
        self.lines
    }
}
