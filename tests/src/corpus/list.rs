//! The list: tab-separated lines, the first column a requirement with an exact version.

use std::fs;
use std::path::Path;

/// One package of the list.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Such as `docopt==0.6.2`.
    pub requirement: String,
    /// Seconds that somebody's build of it took; the list's fourth column, and no more than a hint for the order.
    pub weight: f64,
    /// The wheel that the list expects, its fifth column.
    pub wheel: Option<String>,
    /// The SHA-256 of the source, the list's sixth column.
    pub sha256: Option<String>,
}

impl Entry {
    /// Returns the project's name.
    #[must_use]
    pub fn name(&self) -> &str {
        let end = self.requirement.find(['=', '[', ' ', '<', '>', '~']);
        &self.requirement[..end.unwrap_or(self.requirement.len())]
    }
}

/// Reads a list. Lines that begin with `#` and empty ones are no entries; only the first column has to be there.
///
/// # Errors
/// When the file can not be read, or a line asks for no exact version: a corpus that moves proves nothing.
pub fn entries(path: &Path) -> Result<Vec<Entry>, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let lines = text.lines().enumerate();
    lines
        .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|(at, line)| {
            entry(line).ok_or_else(|| {
                let place = path.display();
                format!("{place}:{}: NAME==VERSION is expected first", at + 1)
            })
        })
        .collect()
}

fn entry(line: &str) -> Option<Entry> {
    let columns: Vec<_> = line.split('\t').map(str::trim).collect();
    let requirement = columns.first()?;
    let (name, version) = requirement.split_once("==")?;
    if name.is_empty() || version.is_empty() || requirement.contains(char::is_whitespace) {
        return None;
    }
    let text = |at: usize| columns.get(at).filter(|text| !text.is_empty());
    Some(Entry {
        requirement: (*requirement).to_owned(),
        weight: text(3).and_then(|text| text.parse().ok()).unwrap_or(0.0),
        wheel: text(4).map(|text| (*text).to_owned()),
        sha256: text(5).map(|text| (*text).to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_may_say_more_than_what_to_build() {
        let full = entry("a==1\tpure\tx\t0.5\ta-1-py3-none-any.whl\tabc").expect("an entry");
        assert_eq!((full.name(), full.weight), ("a", 0.5));
        assert_eq!(full.wheel.as_deref(), Some("a-1-py3-none-any.whl"));
        assert_eq!(full.sha256.as_deref(), Some("abc"));
        let short = entry("b==2").expect("an entry");
        assert_eq!((short.weight, short.sha256), (0.0, None));
        assert_eq!(entry("c>=2"), None);
        assert_eq!(entry("c == 2"), None);
    }
}
