//! What a person sees: a terminal's screen, made of what a program wrote to it.

/// A screen of any length, of which nothing scrolls away.
#[derive(Clone, Debug, Default)]
pub struct Screen {
    lines: Vec<Vec<char>>,
    row: usize,
    column: usize,
    /// What it showed before it changed something.
    frames: Vec<Vec<String>>,
}

impl Screen {
    /// Shows what a program wrote. Every state in which it took a cursor up or back is kept as a frame.
    ///
    /// # Panics
    /// When it wrote something that this screen does not know: a test may not guess what a person saw.
    #[must_use]
    pub fn of(written: &str) -> Self {
        let mut screen = Self::default();
        let mut rest = written.chars();
        while let Some(c) = rest.next() {
            match c {
                '\n' => screen.row += 1,
                '\r' => {
                    screen.keep();
                    screen.column = 0;
                }
                '\u{1b}' => screen.command(&mut rest),
                c if c.is_control() => panic!("{c:?} in {written:?}"),
                c => screen.put(c),
            }
        }
        screen.keep();
        screen
    }

    /// Returns the lines that stand at the end, without empty ones.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let texts = self
            .lines
            .iter()
            .map(|line| line.iter().collect::<String>());
        let texts = texts.map(|text| text.trim_end().to_owned());
        texts.filter(|text| !text.is_empty()).collect()
    }

    /// Whether all of some texts were there at the same time, each in a line of its own.
    #[must_use]
    pub fn showed(&self, texts: &[&str]) -> bool {
        self.frames.iter().any(|frame| {
            texts
                .iter()
                .all(|text| frame.iter().any(|line| line.contains(text)))
        })
    }

    fn put(&mut self, c: char) {
        while self.lines.len() <= self.row {
            self.lines.push(Vec::new());
        }
        let line = &mut self.lines[self.row];
        while line.len() <= self.column {
            line.push(' ');
        }
        line[self.column] = c;
        self.column += 1;
    }

    fn keep(&mut self) {
        let now = self.lines();
        if self.frames.last() != Some(&now) {
            self.frames.push(now);
        }
    }

    /// `ESC [ numbers letter`
    fn command(&mut self, rest: &mut std::str::Chars<'_>) {
        assert_eq!(rest.next(), Some('['), "an unknown escape sequence");
        let mut words = String::new();
        let letter = loop {
            match rest.next().expect("an escape sequence has an end") {
                c if c.is_ascii_alphabetic() => break c,
                c => words.push(c),
            }
        };
        let count = words.parse().unwrap_or(1);
        match letter {
            'A' => {
                self.keep();
                self.row = self.row.saturating_sub(count);
            }
            'B' => self.row += count,
            'C' => self.column += count,
            'D' => self.column = self.column.saturating_sub(count),
            'G' => self.column = count.saturating_sub(1),
            'K' => {
                let from = if words == "2" { 0 } else { self.column };
                if let Some(line) = self.lines.get_mut(self.row) {
                    line.truncate(from);
                }
            }
            'J' => {
                self.lines.truncate(self.row + 1);
                if let Some(line) = self.lines.get_mut(self.row) {
                    line.truncate(self.column);
                }
            }
            // Colours; a cursor that hides, a frame that is drawn at once.
            'm' | 'h' | 'l' => {}
            other => panic!("an unknown command of the terminal: {words}{other}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_erased_was_seen_and_is_gone() {
        let screen =
            Screen::of("one\r\ntwo\r\n\u{1b}[1A\u{1b}[2K\u{1b}[32mlast\u{1b}[0m\r\n\u{1b}[2K");
        assert_eq!(screen.lines(), ["one", "last"]);
        assert!(screen.showed(&["one", "two"]) && !screen.showed(&["two", "last"]));
    }
}
