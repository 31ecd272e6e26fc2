//! The words of a line's options, as a shell would cut them.

/// Cuts; quotes and backslashes are those of `sh`.
pub(super) fn words(text: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            ' ' | '\t' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match letters.next().ok_or("a quote is not closed")? {
                        '\'' => break,
                        other => word.push(other),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match letters.next().ok_or("a quote is not closed")? {
                        '"' => break,
                        '\\' => match letters.next().ok_or("a quote is not closed")? {
                            escaped @ ('"' | '\\') => word.push(escaped),
                            other => word.extend(['\\', other]),
                        },
                        other => word.push(other),
                    }
                }
            }
            '\\' => {
                let next = letters.next().ok_or("nothing follows a backslash")?;
                word.get_or_insert_default().push(next);
            }
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Ok(words)
}

/// Splits a line before its first option: a dash at its beginning or behind white space.
pub(super) fn split(line: &str) -> (&str, &str) {
    let mut before = None;
    for (at, letter) in line.char_indices() {
        if letter == '-' && before.is_none_or(char::is_whitespace) {
            return (line[..at].trim_end(), &line[at..]);
        }
        before = Some(letter);
    }
    (line, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_backslashes_are_those_of_a_shell() {
        let cut = words(r#"-C "--plat=a b" --hash='x y' a\ b "q\"\w""#).unwrap();
        assert_eq!(cut, ["-C", "--plat=a b", "--hash=x y", "a b", r#"q"\w"#]);
        assert!(words("'open").is_err());
        assert!(words("end\\").is_err());
        assert_eq!(words("''").unwrap(), [""]);
    }

    #[test]
    fn options_begin_at_a_dash_behind_white_space() {
        assert_eq!(split("a-b==1 --hash=x"), ("a-b==1", "--hash=x"));
        assert_eq!(split("-r other.txt"), ("", "-r other.txt"));
        assert_eq!(
            split("a ; python_version < '3'"),
            ("a ; python_version < '3'", "")
        );
    }
}
