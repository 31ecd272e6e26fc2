//! Values that must not be seen again: declared variables, taken out of everything a build says.
//!
//! A build that wants to can encode what it was given; what it was given should be little.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Shorter values are no secrets, and taking them out would take logs apart.
const SHORTEST: usize = 4;
/// What stands in their place.
const INSTEAD: &str = "[hidden]";

/// Takes values out of text.
#[derive(Clone, Default)]
pub struct Redactor {
    /// Longest first, so that a value inside another leaves no rest.
    values: Vec<String>,
    mark: Option<Mark>,
}

/// A text that is no secret, but worth to be noticed.
#[derive(Clone)]
struct Mark {
    text: String,
    instead: &'static str,
    /// How often it was there, in all clones together.
    seen: Arc<AtomicU64>,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Redactor({} values)", self.values.len())
    }
}

impl Redactor {
    /// Hides the values of declared variables. A value of several lines is hidden line by line.
    #[must_use]
    pub fn of<'v>(variables: impl IntoIterator<Item = &'v String>) -> Self {
        let mut values: Vec<_> = variables
            .into_iter()
            .flat_map(|value| value.lines().map(str::trim))
            .filter(|value| value.len() >= SHORTEST)
            .map(ToOwned::to_owned)
            .collect();
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        values.dedup();
        Self { values, mark: None }
    }

    /// Puts something in the place of one more text, and counts how often it was there.
    pub(crate) fn and_mark(mut self, text: &str, instead: &'static str) -> Self {
        self.mark = Some(Mark {
            text: text.to_owned(),
            instead,
            seen: Arc::default(),
        });
        self
    }

    /// Returns how often the marked text was there since the last call.
    pub(crate) fn take_marked(&self) -> u64 {
        let mark = self.mark.as_ref();
        mark.map_or(0, |mark| mark.seen.swap(0, Ordering::Relaxed))
    }

    /// Returns `text` without them.
    #[must_use]
    pub fn hide(&self, text: &str) -> String {
        let hidden = self
            .values
            .iter()
            .fold(text.to_owned(), |text, value| text.replace(value, INSTEAD));
        self.marked(hidden)
    }

    /// Returns `text` with the marked text taken out, and nothing else.
    pub(crate) fn marked(&self, text: String) -> String {
        match &self.mark {
            Some(mark) => mark.put(text),
            None => text,
        }
    }
}

impl Mark {
    fn put(&self, text: String) -> String {
        match text.matches(&self.text).count() {
            0 => text,
            count => {
                self.seen.fetch_add(count as u64, Ordering::Relaxed);
                text.replace(&self.text, self.instead)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_hidden_wherever_they_stand_and_short_ones_are_left() {
        let values = ["s3cret-s3cret", "s3cret", "2"].map(ToOwned::to_owned);
        let redactor = Redactor::of(&values);
        assert_eq!(
            redactor.hide("a s3cret-s3cret b s3cret 2"),
            "a [hidden] b [hidden] 2"
        );
        assert!(!format!("{redactor:?}").contains("s3cret"));
    }
}
