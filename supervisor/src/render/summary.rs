//! The last line of talk: how many of what, and how well they were isolated.

use std::collections::BTreeSet;

use builder::{DECOY_PRINTED, DECOY_READ, Origin};
use protocol::{Guarantee, Level};

use crate::report::{DenialEntry, Document};

/// Returns the last line: what was made how, what was refused, the lowest level of all builds and
/// which guarantees nothing enforced.
pub(crate) fn last_line(document: &Document) -> String {
    let of = |origin| {
        document
            .wheels
            .iter()
            .filter(|wheel| wheel.origin == origin)
            .count()
    };
    let (decoys, refused): (Vec<_>, Vec<_>) = document
        .wheels
        .iter()
        .flat_map(|wheel| &wheel.denials)
        .chain(document.sdists.iter().flat_map(|sdist| &sdist.denials))
        .chain(
            document
                .failures
                .iter()
                .flat_map(|failure| &failure.denials),
        )
        .partition(|denial| [DECOY_READ, DECOY_PRINTED].contains(&denial.what.as_str()));
    let sum = |entries: &[&DenialEntry]| -> u64 { entries.iter().map(|entry| entry.count).sum() };
    let levels = document.wheels.iter().filter_map(|wheel| wheel.level);
    let of_sdists = document.sdists.iter().map(|sdist| sdist.level);
    let lowest: Option<Level> = levels.chain(of_sdists).min();
    let mut parts = Vec::new();
    if !document.failures.is_empty() {
        parts.push(format!("{} failed", document.failures.len()));
    }
    match document.sdists.len() {
        0 => {}
        1 => parts.push("1 sdist".to_owned()),
        many => parts.push(format!("{many} sdists")),
    }
    parts.push(format!("{} built", of(Origin::Built)));
    parts.push(format!("{} cached", of(Origin::Cached)));
    parts.push(format!(
        "{} downloaded (no code ran)",
        of(Origin::Downloaded)
    ));
    parts.push(match sum(&refused) {
        1 => "1 refused attempt".to_owned(),
        many => format!("{many} refused attempts"),
    });
    if !decoys.is_empty() {
        parts.push(format!("decoys touched {} times", sum(&decoys)));
    }
    if let Some(level) = lowest {
        parts.push(format!("lowest level {level}"));
    }
    let absent: BTreeSet<_> = document
        .wheels
        .iter()
        .flat_map(|wheel| &wheel.absent)
        .copied()
        .collect();
    if !absent.is_empty() {
        let words: Vec<_> = absent.into_iter().map(Guarantee::word).collect();
        parts.push(format!("not enforced: {}", words.join(" ")));
    }
    parts.join(", ")
}
