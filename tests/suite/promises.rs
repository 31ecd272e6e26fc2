//! The page of what is wanted names the tests that hold it; this holds the page to its word.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The repository's own folder.
pub(crate) fn repository() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the tests lie in it").to_owned()
}

/// The names of all functions in the sources of a folder.
pub(crate) fn functions(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).expect("a folder of ours").flatten() {
        let path = entry.path();
        if path.is_dir() && !path.ends_with("target") {
            found.extend(functions(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).expect("sources are text");
            let names = text.lines().filter_map(|line| {
                let line = line.trim_start();
                // One of a table of tests: `name: "fault" => Code;`.
                if let Some((name, _)) = line.split_once(": \"").filter(|_| line.contains(" => ")) {
                    return Some(name.to_owned());
                }
                let line = line.strip_prefix("pub(crate) ").unwrap_or(line);
                let line = line.strip_prefix("async ").unwrap_or(line);
                let name = line.strip_prefix("fn ")?.split(['(', '<']).next()?;
                Some(name.to_owned())
            });
            found.extend(names);
        }
    }
    found
}

/// What a page puts in backquotes and is called as tests are: a sentence.
fn named(page: &str) -> BTreeSet<&str> {
    page.split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| word.matches('_').count() >= 2)
        .collect()
}

#[test]
fn every_test_that_the_page_of_wants_names_is_there() {
    let page = fs::read_to_string(repository().join("docs/requirements.md")).expect("the page");
    let names = named(&page);
    assert!(names.len() > 46, "{names:?}");
    let there: BTreeSet<_> = [
        "archive",
        "policies",
        "protocol",
        "supervisor",
        "tests",
        "worker",
    ]
    .iter()
    .flat_map(|folder| functions(&repository().join(folder)))
    .collect();
    let missing: Vec<_> = names
        .iter()
        .filter(|name| !there.contains(**name))
        .collect();
    assert_eq!(missing, Vec::<&&str>::new());
    let rows = page
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| #"));
    assert_eq!(rows.count(), 46, "each want has a row");
}
