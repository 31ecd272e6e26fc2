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

/// The names of the functions in a folder that are run as tests, by every run: of a table of tests, under
/// an attribute that makes one, or in the list of a test program without libtest.
fn tests_in(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).expect("a folder of ours").flatten() {
        let path = entry.path();
        if path.is_dir() && !path.ends_with("target") {
            found.extend(tests_in(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).expect("sources are text");
            let is_listed = path.to_string_lossy().contains("/filter/tests/kernel/");
            found.extend(tests_of(&text, is_listed));
        }
    }
    found
}

/// The tests in a text; `is_listed` says that a list elsewhere makes all of its functions tests.
fn tests_of(text: &str, is_listed: bool) -> Vec<String> {
    let mut found = Vec::new();
    let (mut is_test, mut is_ignored) = (false, false);
    for line in text.lines().map(str::trim_start) {
        if let Some((name, _)) = line.split_once(": \"").filter(|_| line.contains(" => ")) {
            found.push(name.to_owned());
            continue;
        }
        is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        is_ignored |= line.starts_with("#[ignore");
        let line = line.strip_prefix("pub(crate) ").unwrap_or(line);
        let line = line.strip_prefix("async ").unwrap_or(line);
        if let Some(rest) = line.strip_prefix("fn ") {
            let name = rest.split(['(', '<']).next().unwrap_or_default();
            if (is_test || is_listed) && !is_ignored {
                found.push(name.to_owned());
            }
            (is_test, is_ignored) = (false, false);
        }
    }
    found
}

#[test]
fn a_function_without_the_attribute_and_an_ignored_test_hold_no_promise() {
    let text = "fn helps() {}\n#[test]\nfn is_run() {}\n#[test]\n#[ignore = \"long\"]\nfn is_left_out() {}\n\
        #[tokio::test]\nasync fn is_run_too() {}\n// #[test]\nfn is_none() {}\n    of_a_table: \"x\" => Code;\n";
    assert_eq!(
        tests_of(text, false),
        ["is_run", "is_run_too", "of_a_table"]
    );
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
    .flat_map(|folder| tests_in(&repository().join(folder)))
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
