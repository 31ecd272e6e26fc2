//! What a terminal may be told by a stranger who draws on it: letters, colours, and where to draw.
//!
//! Whoever edits a line has to move the cursor, so not everything that acts can be taken out, as is
//! done for lines of a log. What passes is a list; whatever makes a terminal answer, keep, fetch,
//! rename or reset something is not on it, and neither is what nobody here has heard of.

/// Bytes of a sequence that are held; a longer one is none.
const LONGEST: usize = 64;
/// Final letters of control sequences that only draw: cursor, erasing, inserting, scrolling, colours.
const DRAWING: &[u8] = b"ABCDEFGHJKLMPSTX@defm`";
/// Private modes that change nothing beyond the line being edited: cursor keys, the cursor's look,
/// marks around what is pasted.
const MODES: [&[u8]; 6] = [b"1", b"12", b"25", b"2004", b"1;2004", b"25;2004"];
/// What stands for what was taken out.
const INSTEAD: char = '\u{fffd}';

/// Reads bytes of a stranger, gives text that can be shown.
#[derive(Debug)]
pub(crate) struct Screen {
    /// Whether there is a cursor to move.
    draws: bool,
    state: State,
    /// Bytes of a letter that is not whole yet.
    part: Vec<u8>,
}

#[derive(Debug, Default)]
enum State {
    /// Letters.
    #[default]
    Ground,
    /// After an escape.
    Escape,
    /// Inside a control sequence, with its bytes so far.
    Sequence(Vec<u8>),
    /// Inside a string that is taken out to its end; whether the last byte was an escape.
    Text(bool),
}

impl Screen {
    /// Makes one for a terminal, or for anything else, where nothing is drawn.
    pub(crate) fn new(draws: bool) -> Self {
        Self {
            draws,
            state: State::default(),
            part: Vec::new(),
        }
    }

    /// Takes the next bytes, and returns what can be shown of them.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> String {
        let mut shown = String::with_capacity(bytes.len());
        for letter in self.letters(bytes).chars() {
            self.letter(letter, &mut shown);
        }
        shown
    }

    /// Decodes, keeping a letter that is cut off until its rest arrives.
    fn letters(&mut self, bytes: &[u8]) -> String {
        let mut all = std::mem::take(&mut self.part);
        all.extend_from_slice(bytes);
        let mut text = String::with_capacity(all.len());
        for chunk in all.utf8_chunks() {
            text.push_str(chunk.valid());
            let invalid = chunk.invalid();
            let is_last = invalid.as_ptr_range().end == all.as_ptr_range().end;
            if !invalid.is_empty() && is_last && is_cut_off(invalid) {
                self.part = invalid.to_vec();
            } else if !invalid.is_empty() {
                text.push(INSTEAD);
            }
        }
        text
    }

    fn letter(&mut self, letter: char, shown: &mut String) {
        match &mut self.state {
            State::Ground => match letter {
                '\u{1b}' => self.state = State::Escape,
                // The same in one letter, for terminals that take it so.
                '\u{9b}' => self.state = State::Sequence(Vec::new()),
                '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => self.begin_text(shown),
                '\n' | '\r' | '\t' => shown.push(letter),
                '\u{7}' | '\u{8}' if self.draws => shown.push(letter),
                _ if acts(letter) => shown.push(INSTEAD),
                _ => shown.push(letter),
            },
            State::Escape => match letter {
                '[' => self.state = State::Sequence(Vec::new()),
                ']' | 'P' | 'X' | '^' | '_' => self.begin_text(shown),
                '\u{1b}' => {}
                // The character sets and everything else that two letters say.
                ' '..='/' => {}
                _ => {
                    shown.push(INSTEAD);
                    self.state = State::Ground;
                }
            },
            State::Sequence(held) => match u8::try_from(letter) {
                Ok(0x1b) => {
                    shown.push(INSTEAD);
                    self.state = State::Escape;
                }
                Ok(byte @ 0x20..=0x3f) if held.len() < LONGEST => held.push(byte),
                Ok(last @ 0x40..=0x7e) => {
                    if self.draws && passes(held, last) {
                        shown.push_str("\u{1b}[");
                        shown.extend(held.iter().map(|byte| char::from(*byte)));
                        shown.push(char::from(last));
                    } else {
                        shown.push(INSTEAD);
                    }
                    self.state = State::Ground;
                }
                _ => {
                    shown.push(INSTEAD);
                    self.state = State::Ground;
                }
            },
            State::Text(escaped) => match letter {
                '\u{7}' | '\u{9c}' => self.state = State::Ground,
                '\\' if *escaped => self.state = State::Ground,
                // Nobody who only wants to hide what follows is obliged to end it.
                '\n' => {
                    shown.push('\n');
                    self.state = State::Ground;
                }
                _ => *escaped = letter == '\u{1b}',
            },
        }
    }

    fn begin_text(&mut self, shown: &mut String) {
        shown.push(INSTEAD);
        self.state = State::Text(false);
    }
}

/// Whether a control sequence only draws.
fn passes(held: &[u8], last: u8) -> bool {
    let plain = |byte: &u8| byte.is_ascii_digit() || b";:".contains(byte);
    match held.strip_prefix(b"?") {
        Some(mode) => matches!(last, b'h' | b'l') && MODES.contains(&mode),
        None => DRAWING.contains(&last) && held.iter().all(plain),
    }
}

/// Whether these bytes are the beginning of a letter.
fn is_cut_off(bytes: &[u8]) -> bool {
    let wanted = match bytes.first() {
        Some(0xc2..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf4) => 4,
        _ => return false,
    };
    bytes.len() < wanted
}

/// Whether a terminal would do something at this letter, or show others in another order.
fn acts(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(draws: bool, pieces: &[&[u8]]) -> String {
        let mut screen = Screen::new(draws);
        pieces.iter().map(|piece| screen.take(piece)).collect()
    }

    #[test]
    fn what_edits_a_line_passes() {
        for text in [
            "plain\r\n\ttext",
            "\u{1b}[1;31mred\u{1b}[0m",
            "\u{1b}[2K\u{1b}[10D\u{8} \u{7}",
            "\u{1b}[?2004h$ \u{1b}[?25l",
            "größe 大小",
        ] {
            assert_eq!(shown(true, &[text.as_bytes()]), text);
        }
    }

    #[test]
    fn what_makes_a_terminal_answer_keep_or_rename_something_does_not() {
        for hostile in [
            "\u{1b}]0;owned\u{7}",
            "\u{1b}]52;c;b3duZWQ=\u{1b}\\",
            "\u{1b}P$qm\u{1b}\\",
            "\u{1b}_payload\u{9c}",
            "\u{9d}0;owned\u{9c}",
            "\u{1b}[6n",
            "\u{1b}[c",
            "\u{1b}[>0q",
            "\u{1b}[21t",
            "\u{1b}[?1049h",
            "\u{1b}[?1000h",
            "\u{1b}[4h",
            "\u{1b}[3r",
            "\u{1b}[!p",
            "\u{1b}c",
            "\u{1b}#8",
            "\u{9b}6n",
            "\u{202e}",
            "\u{0}",
        ] {
            let seen = shown(true, &[hostile.as_bytes(), b"after"]);
            assert!(seen.ends_with("after"), "{hostile:?}: {seen:?}");
            let rest = seen.trim_end_matches("after");
            assert!(
                rest.chars().all(|one| one == INSTEAD),
                "{hostile:?} became {seen:?}"
            );
        }
    }

    #[test]
    fn a_sequence_in_pieces_is_judged_as_a_whole() {
        let bytes = "\u{1b}]0;owned\u{7}a\u{1b}[6n\u{1b}[31mö".as_bytes();
        let whole = shown(true, &[bytes]);
        let single: Vec<_> = bytes.chunks(1).collect();
        assert_eq!(shown(true, &single), whole);
        assert_eq!(whole, "\u{fffd}a\u{fffd}\u{1b}[31mö");
    }

    #[test]
    fn a_string_without_an_end_hides_one_line_at_most() {
        assert_eq!(shown(true, &[b"\x1b]0;hidden\nseen"]), "\u{fffd}\nseen");
    }

    #[test]
    fn where_nothing_is_drawn_no_sequence_passes() {
        assert_eq!(
            shown(false, &[b"\x1b[31mred\x1b[0m\x08\n"]),
            "\u{fffd}red\u{fffd}\u{fffd}\n"
        );
    }

    #[test]
    fn bytes_that_are_no_letters_are_seen_as_such() {
        assert_eq!(shown(true, &[b"a\xffb\xc3", b"(c"]), "a\u{fffd}b\u{fffd}(c");
    }

    proptest::proptest! {
        #[test]
        fn whatever_comes_nothing_but_the_list_passes(bytes: Vec<u8>) {
            let text = shown(true, &[&bytes]);
            for part in text.split('\u{1b}').skip(1) {
                let body = part.strip_prefix('[').expect("a control sequence");
                let end = body.find(|one: char| ('@'..='~').contains(&one)).expect("its end");
                proptest::prop_assert!(passes(&body.as_bytes()[..end], body.as_bytes()[end]));
            }
            let free = |one: char| !acts(one) || "\n\r\t\u{7}\u{8}\u{1b}".contains(one);
            proptest::prop_assert!(text.chars().all(free));
        }
    }
}
