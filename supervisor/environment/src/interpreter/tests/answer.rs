//! The question, its answer, and how long it is remembered.

use std::fs;
use std::path::PathBuf;

use super::place::{Place, ask, bare, real_python};
use crate::interpreter::{
    Found, InterpreterError, Search, find, fits, folders_to_ask, folders_to_run, remember,
    remembered, understand,
};

#[test]
fn a_real_python_answers_and_says_what_was_read_before() {
    let (found, facts) = real_python();
    assert_eq!(facts.executable, found.base);
    assert!(facts.version >= (3, 9, 0));
    assert!(facts.libc.is_some());
    assert!(facts.cache_tag.is_some());
    let (major, minor, _) = facts.version;
    assert_eq!(
        facts.markers.python_version().to_string(),
        format!("{major}.{minor}")
    );
    assert!(facts.library_folders.iter().all(|folder| folder.is_dir()));
    assert!(folders_to_ask(&found).iter().all(|folder| folder.is_dir()));
    assert!(folders_to_run(&facts).contains(&found.base.parent().unwrap().to_owned()));
    assert_eq!(
        facts.pip_default_index.is_some(),
        facts.pip_default_origin.is_some()
    );
}

/// A standard library that holds nothing but a stand-in of pip for the question to read.
fn index_read_from(source: &str) -> Option<String> {
    let (found, _) = real_python();
    let place = Place::new();
    let folder = "env/lib/python3/site-packages/pip/_internal/models";
    place.file(&format!("{folder}/index.py"), source, 0o644);
    place.file(
        "env/lib/python3/site-packages/pip/__init__.py",
        "raise SystemExit('imported')",
        0o644,
    );
    let asked = Found {
        environment: Some(place.path("env")),
        ..found
    };
    let facts = understand(&ask(&asked), &asked).unwrap();
    facts
        .pip_default_origin
        .is_some_and(|origin| origin.contains(place.path("env").to_str().unwrap()))
        .then_some(facts.pip_default_index)
        .flatten()
}

#[test]
fn the_default_index_is_read_out_of_pips_source_and_pip_is_not_imported() {
    let source = "class PackageIndex: ...\n\nPyPI = PackageIndex('https://index.example.invalid/', file_storage_domain='x')\n";
    assert_eq!(
        index_read_from(source).as_deref(),
        Some("https://index.example.invalid/simple")
    );
    let annotated = "PyPI: object = PackageIndex(url='https://a.example.invalid/b/', file_storage_domain='x')\n";
    assert_eq!(
        index_read_from(annotated).as_deref(),
        Some("https://a.example.invalid/b/simple")
    );
    for source in [
        "PyPI = PackageIndex(URL)\n",
        "PyPI = (\n",
        "",
        "x = 1\n",
        "PyPI = PackageIndex('javascript:x', 'y')\n",
    ] {
        assert_eq!(index_read_from(source), None, "{source}");
    }
}

#[test]
fn facts_are_remembered_until_the_program_or_its_pip_changes() {
    let place = Place::new();
    let cache = cache::Cache::open(&place.path("cache")).unwrap();
    let (real, facts) = real_python();
    let base = place.installation("base", 11);
    let site = place.path("base/lib/python3.11/site-packages");
    let directory = place.path("");
    let found = find(&Search {
        request: Some("./base"),
        ..bare(&directory)
    })
    .unwrap()
    .remove(0);
    let mut facts = facts;
    facts.base_prefix = place.path("base");
    facts.version = (3, 11, 7);
    facts.implementation = "cpython".to_owned();
    facts.free_threaded = false;
    assert_eq!(remembered(&cache, &found), None);
    remember(&cache, &found, &facts).unwrap();
    assert_eq!(remembered(&cache, &found), Some(facts.clone()));
    assert_eq!(remembered(&cache, &real), None);
    fs::create_dir(&site).unwrap();
    assert_eq!(remembered(&cache, &found), None, "pip may be there now");
    remember(&cache, &found, &facts).unwrap();
    fs::write(&base, "\u{7f}ELF, another").unwrap();
    let again = find(&Search {
        request: Some("./base"),
        ..bare(&directory)
    })
    .unwrap()
    .remove(0);
    assert_eq!(remembered(&cache, &again), None);
}

#[test]
fn answers_that_lie_are_refused() {
    let (found, _) = real_python();
    let honest: serde_json::Value = serde_json::from_slice(&ask(&found)).unwrap();
    let with = |key: &str, value: serde_json::Value| {
        let mut answer = honest.clone();
        answer[key] = value;
        understand(&serde_json::to_vec(&answer).unwrap(), &found)
    };
    let refused = |key: &str, value: serde_json::Value| {
        matches!(with(key, value), Err(InterpreterError::BadAnswer { .. }))
    };
    assert!(refused("base_prefix", "/home/someone".into()));
    assert!(refused("base_prefix", "/usr/../home".into()));
    assert!(refused("base_exec_prefix", "relative".into()));
    assert!(refused("cache_tag", "../../x".into()));
    assert!(refused("platform", "a\nb".into()));
    assert!(refused("machine", "".into()));
    assert!(refused("version", "3.11".into()));
    assert!(refused("pip_default_origin", "a\u{1b}[2J".into()));
    assert!(matches!(
        with("version", vec![2, 7, 18].into()),
        Err(InterpreterError::TooOld { .. })
    ));
    let folders = with("library_folders", vec!["/home/someone", "/usr/lib"].into()).unwrap();
    assert_eq!(folders.library_folders, [PathBuf::from("/usr/lib")]);
    let prefix = found.base_prefix.display();
    let lies = [".ssh", "..", "lib/../.ssh", ""].map(|name| format!("{prefix}/{name}"));
    let lies: Vec<_> = lies
        .into_iter()
        .filter(|_| !found.base_prefix.starts_with("/usr"))
        .collect();
    let inside = with("library_folders", lies.into()).unwrap();
    assert_eq!(inside.library_folders, Vec::<PathBuf>::new());
    let program = with("executable", "/home/someone/evil".into()).unwrap();
    assert_eq!(program.executable, found.base);
    let index = with("pip_default_index", "javascript:1".into()).unwrap();
    assert_eq!(
        (index.pip_default_index, index.pip_default_origin),
        (None, None)
    );
    assert!(understand(b"", &found).is_err());
    assert!(understand(&vec![b' '; 1 << 20], &found).is_err());
}

#[test]
fn facts_are_held_against_the_request() {
    let (_, mut facts) = real_python();
    facts.version = (3, 11, 7);
    facts.implementation = "cpython".to_owned();
    facts.free_threaded = false;
    for request in [
        "3",
        "3.11",
        "3.11.7",
        "python3.11",
        "cpython@3",
        "python",
        "./env",
        "my-python",
    ] {
        assert!(fits(request, &facts), "{request}");
    }
    for request in ["3.1", "3.12", "3.11.8", "pypy3", "pypy@3.11", "3.11t", ""] {
        assert!(!fits(request, &facts), "{request}");
    }
}
