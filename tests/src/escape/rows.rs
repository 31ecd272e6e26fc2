//! The rows of the attack matrix, read from `tests/escape/rows.txt` through checked doors.

use std::fs;
use std::path::Path;

use protocol::Guarantee;

/// What stands in the way of attacks. Most can be left out of a test build: see [`super::Removal`].
pub const LAYERS: [&str; 30] = [
    "archive",
    "capabilities",
    "closing",
    "clearing-variables",
    "closing-on-exec",
    "environment",
    "filter-connects",
    "filter-files",
    "filter-host",
    "filter-metadata",
    "filter-numbers",
    "filter-processes",
    "filter-requests",
    "filter-sockets",
    "ipc-namespace",
    "landlock-files",
    "landlock-ports",
    "lifeline",
    "limits",
    "listener",
    "mount-namespace",
    "nested-domain",
    "network-namespace",
    "output",
    "pid-namespace",
    "reaper",
    "scopes",
    "session",
    "supervisor",
    "watch",
];

/// One attack.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// Its number; those of past malware begin with `A`.
    pub number: String,
    /// What is tried.
    pub attack: String,
    /// What stops it, first what stops it first.
    pub layers: Vec<String>,
    /// Other rows that it consists of.
    pub same: Vec<String>,
    /// The guarantee that it would break.
    pub guarantee: Option<Guarantee>,
    /// The deeds that try it: a fixture and the words for the harm that belongs to this row.
    pub deeds: Vec<(String, Vec<String>)>,
    /// Tests that hold it.
    pub tests: Vec<String>,
    /// Why it is accepted, as a whole or where the deeds and tests do not reach.
    pub reason: Option<String>,
}

impl Row {
    /// Reads every row.
    ///
    /// # Panics
    /// When a line is no row.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("escape/rows.txt");
        let text = fs::read_to_string(path).expect("the suite's own files can be read");
        let lines = text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines.map(Self::read).collect()
    }

    fn read(line: &str) -> Self {
        let fields: Vec<_> = line.split('|').map(str::trim).collect();
        let mut row = match fields[..] {
            [number, attack, layers, guarantee, deeds, tests, reason] => Self {
                number: number.into(),
                attack: attack.into(),
                layers: listed(layers),
                guarantee: (!guarantee.is_empty()).then(|| guarantee.parse().expect(line)),
                deeds: deeds.split(';').filter_map(deed).collect(),
                tests: listed(tests),
                reason: (!reason.is_empty()).then(|| reason.into()),
                ..Self::default()
            },
            _ => panic!("not seven fields: {line}"),
        };
        if let Some(same) = row.layers.first().and_then(|word| word.strip_prefix("= ")) {
            row.same = [vec![same.to_owned()], row.layers[1..].to_vec()].concat();
            row.layers.clear();
        }
        row
    }
}

pub(super) fn listed(text: &str) -> Vec<String> {
    let words = text.split(',').map(str::trim);
    words
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

fn deed(text: &str) -> Option<(String, Vec<String>)> {
    let (fixture, ways) = text.split_once(':')?;
    Some((fixture.trim().to_owned(), listed(ways)))
}
