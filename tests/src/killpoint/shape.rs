//! Paths without what differs from run to run: random names and digests.

use std::path::{Component, Path, PathBuf};

/// Returns the paths of a call as words, if one of them is in one of the places.
#[must_use]
pub fn shape(paths: &[PathBuf], places: &[(PathBuf, String)]) -> Option<String> {
    let mut counts = false;
    let words: Vec<_> = paths
        .iter()
        .map(|path| {
            let place = places
                .iter()
                .find_map(|(folder, word)| Some((path.strip_prefix(folder).ok()?, word)));
            counts |= place.is_some();
            place.map_or_else(
                || "elsewhere".to_owned(),
                |(inside, word)| named(word, inside),
            )
        })
        .collect();
    counts.then(|| words.join(" -> "))
}

fn named(place: &str, inside: &Path) -> String {
    let mut words = vec![place.to_owned()];
    for (depth, part) in inside.components().enumerate() {
        if let Component::Normal(name) = part {
            let above = words.last().map_or("", String::as_str);
            words.push(plain(&name.to_string_lossy(), depth, above));
        }
    }
    words.join("/")
}

fn plain(name: &str, depth: usize, above: &str) -> String {
    let name = name.trim_end_matches(" (deleted)");
    let (stem, extension) = name
        .split_once('.')
        .map_or((name, ""), |(stem, _)| (stem, &name[stem.len()..]));
    let is_hex = |text: &str| text.bytes().all(|digit| digit.is_ascii_hexdigit());
    if above == "logs-v1" {
        return "<build>".to_owned();
    }
    if let Some(random) = name.strip_prefix(".fumehood-")
        && is_hex(random)
    {
        return ".fumehood-<unfinished>".to_owned();
    }
    if name.starts_with('#') {
        return "<nameless>".to_owned();
    }
    let word = match stem.len() {
        64 if is_hex(stem) => "<digest>",
        40 if is_hex(stem) => "<commit>",
        32 if is_hex(stem) => "<lock>",
        16 if is_hex(stem) => "<unfinished>",
        // As a commit's, it differs with the times in what is packed.
        45 if stem.strip_prefix("pack-").is_some_and(is_hex) => "<pack>",
        6 if depth == 0 && extension.is_empty() => "<scratch>",
        2 if is_hex(stem) => "<xx>",
        _ => return name.to_owned(),
    };
    format!("{word}{extension}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_names_and_digests_are_taken_out_and_other_places_do_not_count() {
        let places = [("/c".into(), "cache".to_owned())];
        let digest = "a1".repeat(32);
        let paths = [
            PathBuf::from("/c/staging-v1/0123456789abcdef/tree"),
            PathBuf::from(format!("/c/wheels-v1/by-key/{digest}.json")),
        ];
        assert_eq!(
            shape(&paths, &places).expect("both are in the cache"),
            "cache/staging-v1/<unfinished>/tree -> cache/wheels-v1/by-key/<digest>.json"
        );
        assert_eq!(shape(&["/x".into()], &places), None);
    }
}
