//! Looking for a token in a stream of bytes, however it is cut.

use memchr::memmem::Finder;

use super::Token;

/// Looks for the forms of one token.
#[derive(Debug)]
pub(crate) struct Search {
    finders: Vec<Finder<'static>>,
    /// One byte less than the longest form.
    overlap: usize,
    held: Vec<u8>,
}

impl Search {
    /// Looks for `token`.
    pub(crate) fn new(token: &Token) -> Self {
        let forms = token.forms();
        let longest = forms.iter().map(Vec::len).max().unwrap_or(1);
        Self {
            finders: forms
                .iter()
                .map(|form| Finder::new(form).into_owned())
                .collect(),
            overlap: longest - 1,
            held: Vec::new(),
        }
    }

    /// Begins another stream.
    pub(crate) fn begin(&mut self) {
        self.held.clear();
    }

    /// Takes the next bytes of the stream; whether they, with those before, hold the token.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> bool {
        self.held.extend_from_slice(bytes);
        let found = self
            .finders
            .iter()
            .any(|finder| finder.find(&self.held).is_some());
        let past = self.held.len().saturating_sub(self.overlap);
        self.held.drain(..past);
        found
    }
}
