//! From text to logical lines: continued ones joined, comments off, variables in their place.

/// One logical line that says something.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Logical {
    /// The number of its first line.
    pub(crate) line: usize,
    /// As written, for people: variables are not in it.
    pub(crate) written: String,
    /// With the values of variables.
    pub(crate) text: String,
}

/// Characters that pip takes for the end of a line and editors do not.
const ENDS: [char; 8] = [
    '\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{85}', '\u{2028}', '\u{2029}',
];

/// Cuts a text into logical lines.
pub(crate) fn logical(
    text: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<Logical>, (usize, String)> {
    let mut found = Vec::new();
    for (line, joined) in joined(text) {
        let written = without_comment(&joined).trim().to_owned();
        if written.is_empty() {
            continue;
        }
        if let Some(odd) = written.chars().find(|c| ENDS.contains(c)) {
            let code = u32::from(odd);
            return Err((
                line,
                format!(
                    "it has the character U+{code:04X}, where pip ends a line and editors do not"
                ),
            ));
        }
        let text = expanded(&written, variable).map_err(|what| (line, what))?;
        found.push(Logical {
            line,
            written,
            text,
        });
    }
    Ok(found)
}

/// Joins continued lines as pip does: a comment ends what is continued, whatever it ends with.
fn joined(text: &str) -> Vec<(usize, String)> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut lines = Vec::new();
    let mut held: Option<(usize, String)> = None;
    for (at, line) in text.split('\n').enumerate() {
        let is_comment = line.trim_start().starts_with('#');
        if line.ends_with('\\') && !is_comment {
            let (_, whole) = held.get_or_insert((at + 1, String::new()));
            whole.push_str(line.trim_matches('\\'));
            continue;
        }
        let (first, mut whole) = held.take().unwrap_or((at + 1, String::new()));
        if is_comment {
            // So that the comment is seen behind what it is joined to.
            whole.push(' ');
        }
        whole.push_str(line);
        lines.push((first, whole));
    }
    lines.extend(held);
    lines
}

/// A comment begins the line or stands behind white space.
fn without_comment(line: &str) -> &str {
    let mut before = None;
    for (at, c) in line.char_indices() {
        if c == '#' && before.is_none_or(char::is_whitespace) {
            return &line[..at];
        }
        before = Some(c);
    }
    line
}

/// Puts in the values of `${NAME}`; the name has capitals, digits and underscores, as in pip.
fn expanded(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut whole = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, after) = rest.split_at(at);
        whole.push_str(before);
        let name = after[2..].split_once('}').map(|(name, _)| name);
        let is_name = |name: &&str| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        };
        match name.filter(is_name) {
            Some(name) => {
                let value =
                    variable(name).ok_or_else(|| format!("the variable {name} is not set"))?;
                if value.chars().any(char::is_control) {
                    return Err(format!("the value of {name} has control characters in it"));
                }
                whole.push_str(&value);
                rest = &after[name.len() + 3..];
            }
            None => {
                whole.push_str("${");
                rest = &after[2..];
            }
        }
    }
    whole.push_str(rest);
    Ok(whole)
}
