//! Makes text of strangers fit for a terminal: what would act instead of being read is made visible.
//!
//! Names, messages and output of packages may hold escape sequences that clear the screen, retitle
//! the window or swap what is read; none of them reaches the terminal as such.

use std::borrow::Cow;

/// Characters that one line may have before it is cut.
const MAX_LINE: usize = 4096;

/// Returns `text` as one line of visible characters.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    if text.len() <= MAX_LINE && !text.chars().any(acts) {
        return Cow::Borrowed(text);
    }
    let mut seen = String::with_capacity(text.len().min(MAX_LINE));
    for (count, letter) in text.chars().enumerate() {
        if count == MAX_LINE {
            seen.push_str(" [...]");
            break;
        }
        show(letter, &mut seen);
    }
    Cow::Owned(seen)
}

/// Returns `text` with its line breaks and tabs kept and everything else that acts made visible.
pub(crate) fn text(text: &str) -> String {
    let mut seen = String::with_capacity(text.len());
    for (at, part) in text.split('\n').enumerate() {
        if at > 0 {
            seen.push('\n');
        }
        let part = part.strip_suffix('\r').unwrap_or(part);
        for letter in part.chars() {
            show(letter, &mut seen);
        }
    }
    seen
}

/// Whether a terminal would do something at this character, or show the others in another order.
fn acts(letter: char) -> bool {
    if letter == '\t' {
        return false;
    }
    letter.is_control()
        || matches!(letter,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Appends one character, as its escape if it acts.
fn show(letter: char, seen: &mut String) {
    if acts(letter) {
        seen.extend(letter.escape_default());
    } else {
        seen.push(letter);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_are_shown_instead_of_obeyed() {
        assert_eq!(line("\u{1b}[2J\u{7}ok\ttab"), "\\u{1b}[2J\\u{7}ok\ttab");
        assert_eq!(line("a\rb\nc"), "a\\rb\\nc");
        assert_eq!(line("\u{9b}31m"), "\\u{9b}31m");
    }

    #[test]
    fn letters_that_reorder_others_are_shown() {
        assert_eq!(line("x\u{202e}gpj.exe"), "x\\u{202e}gpj.exe");
    }

    #[test]
    fn ordinary_text_of_any_script_is_left_alone() {
        let words = "größe 大小 размер 🙂";
        assert!(matches!(line(words), Cow::Borrowed(same) if same == words));
    }

    #[test]
    fn a_long_line_is_cut() {
        let cut = line(&"x".repeat(MAX_LINE + 1)).into_owned();
        assert_eq!(cut.len(), MAX_LINE + " [...]".len());
    }

    #[test]
    fn line_breaks_stay_in_a_text_and_carriage_returns_before_them_go() {
        assert_eq!(text("a\r\nb\u{0}\nc"), "a\nb\\u{0}\nc");
    }
}
