//! A line of a file that somebody handed to us: where a requirement, a hash or an option stands.

use std::path::Path;
use std::sync::Arc;

/// A file and a line, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinePlace {
    /// The file, as it was named.
    pub file: Arc<Path>,
    /// The line; of continued lines the first.
    pub line: usize,
}

impl std::fmt::Display for LinePlace {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let file = self.file.display().to_string();
        write!(out, "{}:{}", super::lenient::printable(&file), self.line)
    }
}
