//! Foreign text made harmless: nothing in it moves a cursor, changes a title or hides a line.

/// Characters of one line at most; the rest is cut.
const LONGEST_LINE: usize = 4096;

/// Returns one line of a stranger's output without control and direction characters.
#[must_use]
pub fn neutralised(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let trimmed = text.trim_end_matches(['\r', '\n']);
    // A carriage return alone redraws a line; what counts is the last state of it.
    trimmed
        .chars()
        .take(LONGEST_LINE)
        .map(|c| match c {
            '\t' => c,
            c if c.is_control() || is_format(c) => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// Characters that reorder or hide text (bidirectional controls, zero-width ones, line separators).
fn is_format(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_lose_their_escape() {
        assert_eq!(
            neutralised(b"\x1b]0;owned\x07 ok\r\n"),
            "\u{fffd}]0;owned\u{fffd} ok"
        );
        assert_eq!(neutralised("a\u{202e}b".as_bytes()), "a\u{fffd}b");
        assert_eq!(neutralised(b"tab\tstays"), "tab\tstays");
    }
}
