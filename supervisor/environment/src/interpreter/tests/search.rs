//! The search: what is found, in which order, and that nothing runs.

use std::ffi::OsString;
use std::fs;

use super::place::{Place, bare, bases};
use crate::interpreter::{InterpreterError, Search, find};

#[test]
fn the_active_environment_comes_first_then_path_and_a_local_one_is_not_taken_by_itself() {
    let place = Place::new();
    let old = place.installation("old", 10);
    let new = place.installation("new", 12);
    place.environment("active", &old);
    place.environment("work/.venv", &new);
    let path = OsString::from(format!("{}:relative::.", place.path("old/bin").display()));
    let active = place.path("active");
    let directory = place.path("work");
    let search = Search {
        path: Some(&path),
        virtual_env: Some(&active),
        ..bare(&directory)
    };
    let found = find(&search).unwrap();
    let origins: Vec<_> = found.iter().map(|found| found.origin.as_str()).collect();
    assert_eq!(origins, ["the active environment", "on PATH"]);
    assert_eq!(found[0].base, old);
    assert_eq!(found[0].base_prefix, place.path("old"));
    assert_eq!(found[0].environment, Some(active.clone()));
    assert_eq!(found[1].environment, None);
}

#[test]
fn a_local_environment_is_taken_when_it_is_active_or_named() {
    let place = Place::new();
    let base = place.installation("base", 11);
    place.environment("work/.venv", &base);
    let (directory, local) = (place.path("work"), place.path("work/.venv"));
    let alone = bare(&directory);
    assert!(
        matches!(find(&alone), Err(InterpreterError::NotFound { looked }) if looked[0].contains("-p .venv"))
    );
    let active = Search {
        virtual_env: Some(&local),
        ..alone
    };
    assert_eq!(bases(&active), vec![base.clone()]);
    let named = Search {
        request: Some("./.venv"),
        ..alone
    };
    assert_eq!(bases(&named), vec![base]);
}

#[test]
fn nothing_inside_a_source_tree_is_taken() {
    let place = Place::new();
    let base = place.installation("base", 11);
    place.environment("tree/.venv", &base);
    place.installation("tree/tools", 12);
    place.file("tree/.python-version", "3.12.1\n", 0o644);
    place.pyenv();
    place.file("pyenv/version", "3.11.7\n", 0o644);
    let tree = place.path("tree");
    let path = OsString::from(format!(
        "{}:{}",
        place.path("tree/tools/bin").display(),
        place.path("pyenv/shims").display()
    ));
    let sources = [tree.clone()];
    let search = Search {
        path: Some(&path),
        inside_sources: &sources,
        ..bare(&tree)
    };
    assert_eq!(
        bases(&search),
        [place.path("pyenv/versions/3.11.7/bin/python3.11")]
    );
    let unfiltered = Search {
        inside_sources: &[],
        ..search
    };
    assert_eq!(
        bases(&unfiltered)[0],
        place.path("tree/tools/bin/python3.12")
    );
}

#[test]
fn shims_of_pyenv_are_resolved_without_running_them() {
    let place = Place::new();
    let root = place.pyenv();
    let path = OsString::from(root.join("shims"));
    let directory = place.path("work/below");
    fs::create_dir_all(&directory).unwrap();
    let search = Search {
        path: Some(&path),
        pyenv_root: Some(&root),
        ..bare(&directory)
    };
    let version = |version: &str, minor: u32| {
        place.path(&format!("pyenv/versions/{version}/bin/python3.{minor}"))
    };
    assert!(
        matches!(find(&search), Err(InterpreterError::NotFound { looked }) if looked[0].contains("pyenv"))
    );
    place.file("pyenv/version", "system\n3.12.1\n", 0o644);
    assert_eq!(bases(&search)[0], version("3.12.1", 12));
    place.file("work/.python-version", "# ours\n3.11\n", 0o644);
    assert_eq!(bases(&search)[0], version("3.11.12", 11), "the newest 3.11");
    let by_variable = Search {
        pyenv_version: Some("3.12.1:3.11.7"),
        ..search
    };
    assert_eq!(bases(&by_variable)[0], version("3.12.1", 12));
    assert_eq!(
        bases(&by_variable)[1],
        version("3.11.7", 11),
        "python3.11 is in the second only"
    );
    let elsewhere = Search {
        pyenv_version: Some("../../other"),
        ..search
    };
    assert!(find(&elsewhere).is_err(), "a version is a name, not a path");
    assert!(!place.path("ran").exists(), "a shim ran");
}

#[test]
fn scripts_of_others_are_passed_over_and_named() {
    let place = Place::new();
    let ran = place.path("ran");
    place.file(
        "bin/python3",
        &format!("#!/bin/sh\ntouch {}\n", ran.display()),
        0o755,
    );
    let base = place.installation("base", 11);
    let path = OsString::from(format!(
        "{}:{}",
        place.path("bin").display(),
        place.path("base/bin").display()
    ));
    let directory = place.path("");
    let search = Search {
        path: Some(&path),
        ..bare(&directory)
    };
    assert_eq!(bases(&search)[0], base);
    let only = OsString::from(place.path("bin"));
    let error = find(&Search {
        path: Some(&only),
        ..search
    })
    .unwrap_err();
    assert!(error.to_string().contains("it is a script"), "{error}");
    assert!(!ran.exists());
}

#[test]
fn a_request_may_be_a_version_a_name_or_a_path() {
    let place = Place::new();
    let eleven = place.installation("eleven", 11);
    let twelve = place.installation("twelve", 12);
    place.environment("work/env", &eleven);
    let path = OsString::from(format!(
        "{}:{}",
        place.path("twelve/bin").display(),
        place.path("eleven/bin").display()
    ));
    let directory = place.path("work");
    let base_of = |request: &str| {
        let search = Search {
            request: Some(request),
            path: Some(&path),
            ..bare(&directory)
        };
        find(&search).map(|found| found[0].base.clone())
    };
    for request in [
        "3.11",
        "python3.11",
        "cpython@3.11",
        "env",
        "./env",
        "env/bin/python",
        "../eleven",
        "cpython3.11",
    ] {
        assert_eq!(base_of(request).unwrap(), eleven, "{request}");
    }
    for request in ["3", "python", "python3", "3.12", "python3.12"] {
        assert_eq!(base_of(request).unwrap(), twelve, "{request}");
    }
    let absolute = place.path("eleven/bin/python3");
    assert_eq!(base_of(absolute.to_str().unwrap()).unwrap(), eleven);
    assert!(matches!(
        base_of("3.9"),
        Err(InterpreterError::NotFound { .. })
    ));
    assert!(matches!(
        base_of("pypy3"),
        Err(InterpreterError::NotFound { .. })
    ));
    assert!(matches!(
        base_of("./nothing"),
        Err(InterpreterError::Unusable { .. })
    ));
    assert!(matches!(
        base_of(""),
        Err(InterpreterError::BadRequest { .. })
    ));
}

#[test]
fn the_base_of_an_environment_of_copies_is_found_by_its_home() {
    let place = Place::new();
    let base = place.installation("base", 11);
    let python = place.environment("env", &base);
    fs::remove_file(&python).unwrap();
    fs::copy(&base, &python).unwrap();
    let directory = place.path("");
    let search = Search {
        request: Some("./env"),
        ..bare(&directory)
    };
    assert_eq!(bases(&search), [base.parent().unwrap().join("python3.11")]);
    fs::remove_dir_all(place.path("base")).unwrap();
    assert!(matches!(
        find(&search),
        Err(InterpreterError::Unusable { .. })
    ));
}

#[test]
fn a_link_to_a_program_outside_of_any_installation_is_refused() {
    let place = Place::new();
    let tool = place.file("home/bin/tool", "\u{7f}ELF", 0o755);
    place.environment("env", &tool);
    let directory = place.path("");
    let search = Search {
        request: Some("./env"),
        ..bare(&directory)
    };
    let error = find(&search).unwrap_err();
    assert!(
        error.to_string().contains("no installation of Python"),
        "{error}"
    );
}

#[test]
fn the_stamp_changes_with_the_program_and_with_the_configuration() {
    let place = Place::new();
    let base = place.installation("base", 11);
    place.environment("env", &base);
    let directory = place.path("");
    let search = Search {
        request: Some("./env"),
        ..bare(&directory)
    };
    let stamp = || find(&search).unwrap()[0].stamp;
    let first = stamp();
    assert_eq!(first, stamp());
    place.file(
        "env/pyvenv.cfg",
        &format!(
            "home = {}\nversion = 3.11.7\nprompt = x\n",
            base.parent().unwrap().display()
        ),
        0o644,
    );
    let second = stamp();
    assert_ne!(first, second);
    fs::write(&base, "\u{7f}ELF2").unwrap();
    assert_ne!(second, stamp());
}
