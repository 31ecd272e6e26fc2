//! The INI dialect of Python's `configparser`, as far as pip's files use it. Pure.
//!
//! Its rule for values of several lines (a deeper indented line goes on, comments in between are
//! skipped) is what lists of indexes are written with, and what common INI readers do not know.

/// A key with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) section: String,
    /// Lower case, with dashes.
    pub(super) key: String,
    /// Lines are joined by newlines.
    pub(super) value: String,
}

/// Reads a file.
///
/// # Errors
/// The number of the first line that makes no sense.
pub(super) fn parse(text: &str) -> Result<Vec<Item>, usize> {
    let mut items: Vec<Item> = Vec::new();
    let mut section: Option<String> = None;
    // The indentation of the key whose value may go on; none after a section's head.
    let mut open: Option<usize> = None;
    for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let content = line.trim();
        if content.starts_with(['#', ';']) {
            continue;
        }
        if content.is_empty() {
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        if let (Some(at), Some(item)) = (open, items.last_mut())
            && indent > at
        {
            item.value.push('\n');
            item.value.push_str(content);
            continue;
        }
        if let Some(head) = content.strip_prefix('[') {
            let name = head.split_once(']').ok_or(number + 1)?.0;
            section = Some(name.to_owned());
            open = None;
            continue;
        }
        let section = section.clone().ok_or(number + 1)?;
        let (key, value) = content
            .split_once(['=', ':'])
            .filter(|(key, _)| !key.trim().is_empty())
            .ok_or(number + 1)?;
        items.push(Item {
            section,
            key: normal(key),
            value: value.trim().to_owned(),
        });
        open = Some(indent);
    }
    Ok(items)
}

/// Writes a key as pip compares it.
fn normal(key: &str) -> String {
    let key = key.trim().to_lowercase().replace('_', "-");
    key.strip_prefix("--").unwrap_or(&key).to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Vec<(String, String, String)> {
        parse(text)
            .expect("a file")
            .into_iter()
            .map(|item| (item.section, item.key, item.value))
            .collect()
    }

    fn triple(section: &str, key: &str, value: &str) -> (String, String, String) {
        (section.to_owned(), key.to_owned(), value.to_owned())
    }

    #[test]
    fn values_of_several_lines_and_comments_are_read() {
        let text = "# head\n[global]\nextra_index_url =\n    https://a.invalid\n    # not this\n\n    https://b.invalid\nNo-Index: yes\n; end\n[ install ]\n  cert = /a#b\n";
        assert_eq!(
            read(text),
            [
                triple(
                    "global",
                    "extra-index-url",
                    "\nhttps://a.invalid\nhttps://b.invalid"
                ),
                triple("global", "no-index", "yes"),
                triple(" install ", "cert", "/a#b"),
            ]
        );
    }

    #[test]
    fn values_may_hold_equals_signs_and_percent() {
        let text = "[global]\nindex-url = https://u:p%40@a.invalid/?a=b\n";
        assert_eq!(read(text)[0].2, "https://u:p%40@a.invalid/?a=b");
    }

    #[test]
    fn nonsense_names_its_line() {
        assert_eq!(parse("a = 1"), Err(1));
        assert_eq!(parse("[global]\nno value"), Err(2));
        assert_eq!(parse("[global"), Err(1));
        assert_eq!(parse("[a]\n= 1"), Err(2));
    }

    proptest! {
        #[test]
        fn any_text_gets_an_answer(text in "[\\[\\]a-z=:#; \n\u{feff}é-]{0,80}") {
            drop(parse(&text));
        }
    }
}
