//! Names of projects and extras as strangers write them: checked before the parser behind, which
//! takes the empty name.

use std::str::FromStr as _;

use model::{ExtraName, PackageName};

/// Bytes; no real name is longer, and file names are made of it.
const LONGEST: usize = 200;

/// Returns the name of a project, normalised; none if it is not one.
pub(crate) fn project(text: &str) -> Option<PackageName> {
    is_name(text)
        .then(|| PackageName::from_str(text).ok())
        .flatten()
}

/// Returns the name of an extra, normalised; none if it is not one.
pub(crate) fn extra(text: &str) -> Option<ExtraName> {
    is_name(text)
        .then(|| ExtraName::from_str(text).ok())
        .flatten()
}

/// Whether the text is a name as PEP 508 writes it.
pub(crate) fn is_name(text: &str) -> bool {
    let ends = |letter: Option<u8>| letter.is_some_and(|letter| letter.is_ascii_alphanumeric());
    text.len() <= LONGEST
        && ends(text.bytes().next())
        && ends(text.bytes().last())
        && text
            .bytes()
            .all(|letter| letter.is_ascii_alphanumeric() || b"-_.".contains(&letter))
}

/// Returns a stranger's text for a message: without control characters and not long.
pub(crate) fn printable(text: &str) -> String {
    const MOST: usize = 200;
    let mut shown: String = text
        .chars()
        .take(MOST)
        .map(|letter| {
            if is_harmless(letter) {
                letter
            } else {
                '\u{fffd}'
            }
        })
        .collect();
    if text.chars().nth(MOST).is_some() {
        shown.push_str("...");
    }
    shown
}

/// Whether a terminal shows the letter and does nothing else.
pub(crate) fn is_harmless(letter: char) -> bool {
    // Besides control characters, those that change the direction of what follows.
    !letter.is_control()
        && !matches!(letter, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}
