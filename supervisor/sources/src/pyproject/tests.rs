//! The rules of PEP 517 and 518, one by one.

use proptest::prelude::*;

use super::*;

fn read(text: &str) -> Result<BuildSystem, PyprojectError> {
    BuildSystem::from_pyproject(Some(text.as_bytes()))
}

#[test]
fn without_file_or_table_it_is_the_legacy() {
    let legacy = BuildSystem::from_pyproject(None).unwrap();
    assert_eq!(legacy.requires, ["setuptools>=40.8.0"]);
    assert_eq!(legacy.backend, None);
    assert_eq!(read(""), Ok(legacy.clone()));
    assert_eq!(read("[tool.black]\nline-length = 100\n"), Ok(legacy));
}

#[test]
fn a_full_table_is_read() {
    let system = read(
        "[build-system]\nrequires = ['flit_core >=3,<4', 'tomli; python_version<\"3.11\"']\n\
         build-backend = 'local.backend:Backend.api'\nbackend-path = ['.', 'tools/build']\n\
         unknown = 1\n",
    )
    .unwrap();
    assert_eq!(system.requires.len(), 2);
    assert_eq!(system.backend.as_deref(), Some("local.backend:Backend.api"));
    assert_eq!(system.backend_path, [".", "tools/build"]);
}

#[test]
fn requirements_without_a_backend_are_kept_and_the_backend_is_the_legacy() {
    let system = read("[build-system]\nrequires = ['setuptools', 'cython']\n").unwrap();
    assert_eq!(system.requires, ["setuptools", "cython"]);
    assert_eq!(system.backend, None);
    assert_eq!(
        read("[build-system]\nrequires = []\n").unwrap().requires,
        Vec::<String>::new()
    );
}

#[test]
fn what_is_not_toml_names_the_line() {
    assert!(matches!(
        read("[build-system]\nrequires = [\n\n= 1\n"),
        Err(PyprojectError::NotToml { line: 2..=4, .. })
    ));
    assert_eq!(
        BuildSystem::from_pyproject(Some(b"a = '\xff'")),
        Err(PyprojectError::NotText { at: 5 })
    );
    assert!(matches!(
        BuildSystem::from_pyproject(Some(&vec![b'#'; LONGEST + 1])),
        Err(PyprojectError::TooLong { .. })
    ));
}

#[test]
fn the_table_has_to_be_one_and_to_have_requires() {
    assert_eq!(
        read("build-system = 'flit'\n"),
        Err(PyprojectError::NotATable { found: "a string" })
    );
    assert_eq!(
        read("[[build-system]]\nrequires = []\n"),
        Err(PyprojectError::NotATable { found: "a list" })
    );
    assert_eq!(
        read("[build-system]\nbuild-backend = 'flit_core.buildapi'\n"),
        Err(PyprojectError::NoRequires)
    );
}

#[test]
fn requires_has_to_be_a_list_of_requirements() {
    let requires = |value: &str| read(&format!("[build-system]\nrequires = {value}\n"));
    assert_eq!(
        requires("'setuptools'"),
        Err(PyprojectError::NotAList {
            key: "requires",
            found: "a string"
        })
    );
    assert_eq!(
        requires("['setuptools', 1]"),
        Err(PyprojectError::NotAList {
            key: "requires",
            found: "a list with a number"
        })
    );
    assert!(matches!(
        requires("['setuptools', '--index-url x']"),
        Err(PyprojectError::Requirement { .. })
    ));
    assert!(matches!(
        requires(&format!("[{}]", "'a',".repeat(MOST_REQUIREMENTS + 1))),
        Err(PyprojectError::TooMany { .. })
    ));
    // Wrong by the letter, but real; the lenient door takes it.
    assert!(requires("['setuptools>=40.8.*']").is_ok());
}

#[test]
fn the_backend_has_to_be_the_name_of_an_object() {
    let backend = |value: &str| {
        read(&format!(
            "[build-system]\nrequires=[]\nbuild-backend={value}\n"
        ))
    };
    assert_eq!(
        backend("['a']"),
        Err(PyprojectError::BackendNotAString { found: "a list" })
    );
    for wrong in [
        "''", "'a b'", "'a:'", "':a'", "'a..b'", "'1a'", "'a:b:c'", "'os;x'", "'../a'",
    ] {
        assert!(
            matches!(backend(wrong), Err(PyprojectError::BackendNotAName { .. })),
            "{wrong}"
        );
    }
}

#[test]
fn the_backend_path_stays_inside() {
    let path = |value: &str| {
        read(&format!(
            "[build-system]\nrequires=[]\nbackend-path={value}\n"
        ))
    };
    for wrong in [
        "['']",
        "['/usr']",
        "['..']",
        "['a/../..']",
        "['.', '../x']",
        "[\"a\\u0000\"]",
    ] {
        assert!(
            matches!(path(wrong), Err(PyprojectError::BackendPath { .. })),
            "{wrong}"
        );
    }
    assert!(matches!(
        path("'backend'"),
        Err(PyprojectError::NotAList {
            key: "backend-path",
            ..
        })
    ));
    assert_eq!(path("['..a', 'b..']").unwrap().backend_path.len(), 2);
}

#[test]
fn deep_nesting_is_an_error_and_no_overflow() {
    let deep = format!("a = {}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(matches!(read(&deep), Err(PyprojectError::NotToml { .. })));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,80}", value in "[\\[\\]{}='\"a.\n]{0,40}") {
        let _ = read(&text);
        let _ = read(&format!("[build-system]\nrequires = {value}"));
    }

    #[test]
    fn an_accepted_backend_path_joins_to_something_beneath(path in "[a./]{0,8}") {
        let text = format!("[build-system]\nrequires=[]\nbackend-path=['{path}']\n");
        if read(&text).is_ok() {
            let joined = std::path::Path::new("/tree").join(&path);
            prop_assert!(joined.starts_with("/tree"));
            prop_assert!(!joined.components().any(|part| part == std::path::Component::ParentDir));
        }
    }
}
