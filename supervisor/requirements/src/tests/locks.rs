//! `pylock.toml`: what is read, what is for here, what is refused.

use std::collections::BTreeSet;

use model::{Code, MarkerEnvironment, Version};
use pep508_rs::{ExtraName, MarkerEnvironmentBuilder};
use std::str::FromStr as _;

use super::World;
use crate::{Asked, Extras, Form, Location, Lock, RequirementsError, Selection};

const SHA256: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

fn markers() -> MarkerEnvironment {
    MarkerEnvironment::try_from(MarkerEnvironmentBuilder {
        implementation_name: "cpython",
        implementation_version: "3.11.7",
        os_name: "posix",
        platform_machine: "x86_64",
        platform_python_implementation: "CPython",
        platform_release: "6",
        platform_system: "Linux",
        platform_version: "1",
        python_full_version: "3.11.7",
        python_version: "3.11",
        sys_platform: "linux",
    })
    .unwrap()
}

fn lock(text: &str) -> Result<Lock, RequirementsError> {
    let collected = World::default()
        .file("d/pylock.toml", text)
        .requirements("d/pylock.toml")?;
    match collected.asked.into_iter().next() {
        Some(Asked::Lock(lock)) => Ok(*lock),
        _ => panic!("no lock"),
    }
}

fn select(text: &str, extras: &[&str], groups: &[&str]) -> Result<Vec<String>, RequirementsError> {
    let lock = lock(text)?;
    let extras = Extras {
        names: extras
            .iter()
            .map(|name| ExtraName::from_str(name).unwrap())
            .collect::<BTreeSet<_>>(),
        all: false,
    };
    let groups: Vec<_> = groups.iter().map(|name| (*name).to_owned()).collect();
    let chosen = lock.select(&Selection {
        markers: &markers(),
        python: &Version::from_str("3.11.7").unwrap(),
        extras: &extras,
        groups: &groups,
    })?;
    Ok(chosen
        .iter()
        .map(|package| package.name.to_string())
        .collect())
}

/// A lock with these lines at its top, and entries with a marker each.
fn with(top: &str, entries: &[(&str, &str)]) -> String {
    let mut text = format!("lock-version = '1.0'\ncreated-by = 'x'\n{top}\n");
    for (name, marker) in entries {
        text.push_str(&format!(
            "[[packages]]\nname = '{name}'\nversion = '1.0'\nmarker = \"{marker}\"\nsdist = {{ name = '{name}-1.0.tar.gz', url = 'https://example.invalid/{name}-1.0.tar.gz', hashes = {{ sha256 = '{SHA256}' }} }}\n"
        ));
    }
    text
}

#[test]
fn entries_are_chosen_by_markers_extras_and_groups() {
    let text = with(
        "extras = ['fast', 'Docs_All']\ndependency-groups = ['dev', 'test']\ndefault-groups = ['test']",
        &[
            ("a", "python_version >= '3.8'"),
            ("b", "sys_platform == 'win32'"),
            ("c", "'fast' in extras"),
            (
                "d",
                "'dev' in dependency_groups or ('docs-all' in extras and os_name == 'posix')",
            ),
            ("e", "'test' in dependency_groups"),
            ("f", "'fast' not in extras and python_full_version < '4'"),
        ],
    );
    assert_eq!(select(&text, &[], &[]).unwrap(), ["a", "e", "f"]);
    assert_eq!(select(&text, &["fast"], &["dev"]).unwrap(), ["a", "c", "d"]);
    assert_eq!(
        select(&text, &["docs.all"], &["Test"]).unwrap(),
        ["a", "d", "e", "f"]
    );
    let error = select(&text, &["slow"], &[]).unwrap_err();
    assert!(error.to_string().contains("no extra `slow`"), "{error}");
    let error = select(&text, &[], &["prod"]).unwrap_err();
    assert!(
        error.to_string().contains("no dependency group `prod`"),
        "{error}"
    );
}

#[test]
fn a_lock_for_another_platform_or_python_is_an_error_of_its_own() {
    for (top, line) in [
        (
            "environments = [\"sys_platform == 'win32'\", \"sys_platform == 'darwin'\"]",
            3,
        ),
        ("requires-python = '>=3.12'", 3),
    ] {
        let error = select(&with(top, &[("a", "os_name == 'posix'")]), &[], &[]).unwrap_err();
        assert_eq!(error.code(), Code::LockElsewhere, "{error}");
        assert!(
            error
                .to_string()
                .starts_with(&format!("d/pylock.toml:{line}: ")),
            "{error}"
        );
        assert!(error.why().unwrap().contains("it is for"), "{error}");
    }
    let here = "environments = [\"sys_platform == 'win32'\", \"sys_platform == 'linux'\"]\nrequires-python = '>=3.11'";
    assert_eq!(
        select(&with(here, &[("a", "os_name == 'posix'")]), &[], &[]).unwrap(),
        ["a"]
    );
    let text = with("", &[("a", "os_name == 'posix'")]).replace(
        "version = '1.0'\nmarker",
        "version = '1.0'\nrequires-python = '<3'\nmarker",
    );
    let error = select(&text, &[], &[]).unwrap_err();
    assert_eq!(error.code(), Code::LockElsewhere, "{error}");
}

#[test]
fn two_entries_of_one_project_that_are_for_here_are_an_error() {
    let text = with(
        "",
        &[("a", "os_name == 'posix'"), ("A", "python_version > '3'")],
    );
    let error = select(&text, &[], &[]).unwrap_err().to_string();
    assert!(error.contains("both entries are for here"), "{error}");
}

#[test]
fn every_form_of_an_entry_is_read() {
    let hashes = format!("hashes = {{ sha256 = '{SHA256}', md5 = 'x' }}");
    let text = format!(
        "lock-version = '1.1'\ncreated-by = 'x'\n
[[packages]]\nname = 'a'\nversion = '1'\nindex = 'https://example.invalid/simple'\nwheels = [\n{{ path = 'w/a-1-py3-none-any.whl', size = 7, {hashes} }},\n]\n
[[packages]]\nname = 'b'\narchive = {{ url = 'https://example.invalid/b.zip', subdirectory = 'x/y', {hashes} }}\n
[[packages]]\nname = 'c'\nvcs = {{ type = 'git', url = 'https://example.invalid/c', commit-id = 'abc', requested-revision = 'v1' }}\n
[[packages]]\nname = 'd'\ndirectory = {{ path = '../d' }}\n"
    );
    let lock = lock(&text).unwrap();
    let selection = Selection {
        markers: &markers(),
        python: &Version::from_str("3.11.7").unwrap(),
        extras: &Extras::default(),
        groups: &[],
    };
    let chosen = lock.select(&selection).unwrap();
    let forms: Vec<_> = chosen.iter().map(|package| &package.form).collect();
    let [
        Form::Files {
            sdist: None,
            wheels,
        },
        Form::Archive { file, subdirectory },
        Form::Vcs { commit, .. },
        Form::Directory { path, .. },
    ] = forms.as_slice()
    else {
        panic!("{forms:?}");
    };
    assert_eq!(wheels[0].name, "a-1-py3-none-any.whl");
    assert_eq!(
        wheels[0].at,
        Location::Path("d/w/a-1-py3-none-any.whl".into())
    );
    assert_eq!((wheels[0].size, wheels[0].place.line), (Some(7), 9));
    assert_eq!(file.name, "b.zip");
    assert_eq!(subdirectory.as_deref(), Some("x/y"));
    assert_eq!(commit, "abc");
    assert_eq!(path.to_str(), Some("d/../d"));
}

#[test]
fn what_breaks_the_format_is_refused_with_its_line() {
    let entry = |rest: &str| format!("lock-version = '1.0'\n[[packages]]\nname = 'a'\n{rest}\n");
    for (text, why) in [
        (
            "packages = []\n".to_owned(),
            "pylock.toml:1: `lock-version` is missing",
        ),
        (
            "lock-version = '2.0'\npackages = []\n".to_owned(),
            "pylock.toml:1: `lock-version` is 2.0",
        ),
        (
            "lock-version = 1\n".to_owned(),
            "`lock-version` is not a string",
        ),
        (
            "lock-version = '1.0'\nenvironments = ['os_name = x']\n".to_owned(),
            "pylock.toml:2: a marker",
        ),
        ("nonsense".to_owned(), "pylock.toml:1: it is not TOML"),
        (
            entry(""),
            "pylock.toml:3: `packages.name` has not exactly one of",
        ),
        (
            entry("sdist = { name = 'a-1.tar.gz', url = 'x' }"),
            "`packages.sdist.hashes` is missing",
        ),
        (
            entry("sdist = { name = 'a-1.tar.gz', url = 'x', hashes = { md5 = 'x' } }"),
            "has none of sha256",
        ),
        (
            entry("sdist = { name = 'a-1.tar.gz', url = 'x', hashes = { sha256 = 'x' } }"),
            "a sha256 has 64",
        ),
        (
            entry("sdist = { name = '../a.tar.gz', url = 'x', hashes = {} }"),
            "is not the name of a file",
        ),
        (
            entry("archive = { hashes = {} }"),
            "`packages.archive.url` is missing, and so is `path`",
        ),
        (
            entry("directory = { path = '.', editable = true }"),
            "is an editable requirement",
        ),
        (
            entry("directory = { path = '.', subdirectory = '../x' }"),
            "leads out of its source",
        ),
        (
            entry("vcs = { type = 'git', url = 'x' }"),
            "`packages.vcs.commit-id` is missing",
        ),
        (
            entry("version = 'x'\nsdist = {}"),
            "`packages.version` is none",
        ),
    ] {
        let error = lock(&text).unwrap_err();
        assert!(error.to_string().contains(why), "{text}: {error}");
    }
}
