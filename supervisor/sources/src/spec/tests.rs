//! The forms of pip and uv, and what is none of them.

use std::fs;

use model::Code;
use proptest::prelude::*;

use super::*;

const DIGEST: &str = "49b3a825280bd66b3aa83585ef59c4a8c82f2c8a522dbe754a8bc8d08c85c491";

fn here() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["six", "project", "project/deep"] {
        fs::create_dir(dir.path().join(folder)).unwrap();
    }
    for file in ["a-1.0.tar.gz", "a#b.zip", "odd", "w-1-py3-none-any.whl"] {
        fs::write(dir.path().join(file), b"x").unwrap();
    }
    dir
}

fn parse(text: &str) -> Result<Spec, SpecError> {
    Spec::parse(text, here().path())
}

#[test]
fn requirements_are_named() {
    for (text, name) in [
        ("docopt==0.6.2", "docopt"),
        ("Foo_Bar[baz,qux]>=1,<2 ; python_version < '4'", "foo-bar"),
        ("six", "six"),
        (" numpy ", "numpy"),
        ("zope.interface", "zope-interface"),
        ("foo; platform_version == 'a/b'", "foo"),
        ("setuptools>=40.8.*", "setuptools"),
    ] {
        match parse(text) {
            Ok(Spec::Named(requirement)) => assert_eq!(requirement.name.to_string(), name),
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn urls_may_end_in_anything() {
    for text in [
        "https://example.invalid/a/b-1.0.tar.gz",
        "https://example.invalid/archive/master.zip",
        "https://example.invalid/download",
        "https://example.invalid/get?file=b&v=1",
        "HTTPS://example.invalid/%e2%82%ac%20x.tar.gz",
        "http://127.0.0.1:8080/",
    ] {
        assert!(matches!(parse(text), Ok(Spec::Url { .. })), "{text}");
    }
}

#[test]
fn fragments_of_urls_are_read_and_taken_off() {
    let sha512 = "A".repeat(128);
    let text = format!(
        "https://example.invalid/x.zip?q=1#sha256={DIGEST}&egg=X_y&subdirectory=a%20b/c/&sha512={sha512}"
    );
    let Ok(Spec::Url {
        name,
        url,
        sha256,
        hashes,
        subdirectory,
        wheel: None,
    }) = parse(&text)
    else {
        panic!("not a URL");
    };
    assert_eq!(name.unwrap().to_string(), "x-y");
    assert_eq!(url.as_str(), "https://example.invalid/x.zip?q=1");
    assert_eq!(sha256.unwrap().to_string(), DIGEST);
    assert_eq!(hashes.get("sha512"), Some(&"a".repeat(128)));
    assert_eq!(subdirectory.as_deref(), Some("a b/c"));
}

#[test]
fn a_fragment_that_is_not_understood_is_no_missing_digest() {
    for fragment in [
        "sha256=123",
        "sha25=abc",
        "sha512=abc",
        "subdirectory=../x",
        "subdirectory=/etc",
        "subdirectory=a/../..",
        "subdirectory=%2e%2e",
        "subdirectory=.",
        "egg=../x",
        "egg=a&egg=b",
        "egg=a[b]",
        "readme",
    ] {
        let text = format!("https://example.invalid/x.zip#{fragment}");
        assert!(
            matches!(parse(&text), Err(SpecError::Fragment { .. })),
            "{fragment}"
        );
    }
    let text = "a @ https://example.invalid/x.zip#egg=b";
    assert!(matches!(parse(text), Err(SpecError::Fragment { .. })));
}

#[test]
fn a_name_may_stand_before_a_url() {
    for text in [
        "Foo @ https://example.invalid/x",
        "Foo@https://example.invalid/x",
        "Foo @https://user:secret@example.invalid/x",
    ] {
        let spec = parse(text).unwrap();
        assert_eq!(spec.name().unwrap().to_string(), "foo", "{text}");
        assert!(matches!(spec, Spec::Url { .. }));
    }
    let dir = here();
    let url = Url::from_file_path(dir.path().join("project")).unwrap();
    let spec = Spec::parse(&format!("foo @ {url}"), dir.path()).unwrap();
    assert_eq!(spec.name().unwrap().to_string(), "foo");
    assert!(matches!(spec, Spec::Directory { .. }));
}

#[test]
fn paths_have_a_slash_a_dot_or_the_ending_of_an_archive() {
    let dir = here();
    let parse = |text: &str| Spec::parse(text, dir.path());
    let root = dir.path().canonicalize().unwrap();
    for (text, path) in [
        ("./project", "project"),
        ("project/", "project"),
        ("project/deep", "project/deep"),
        ("project/../six", "six"),
    ] {
        match parse(text) {
            Ok(Spec::Directory { path: found, .. }) => assert_eq!(found, root.join(path)),
            other => panic!("{text}: {other:?}"),
        }
    }
    assert!(matches!(parse("."), Ok(Spec::Directory { path, .. }) if path == root));
    for (text, path) in [
        ("a-1.0.tar.gz", "a-1.0.tar.gz"),
        ("./odd", "odd"),
        ("./a#b.zip", "a#b.zip"),
    ] {
        match parse(text) {
            Ok(Spec::Archive { path: found, .. }) => assert_eq!(found, root.join(path)),
            other => panic!("{text}: {other:?}"),
        }
    }
    let text = format!("a-1.0.tar.gz#sha256={DIGEST}&subdirectory=x");
    assert!(matches!(
        parse(&text),
        Ok(Spec::Archive {
            sha256: Some(_),
            subdirectory: Some(_),
            ..
        })
    ));
    // Without a slash they are names, also where a folder or a file has the name.
    assert!(matches!(parse("six"), Ok(Spec::Named(_))));
    assert!(matches!(parse("odd"), Ok(Spec::Named(_))));
}

#[test]
fn file_urls_are_paths() {
    let dir = here();
    let root = dir.path().canonicalize().unwrap();
    let url = Url::from_file_path(root.join("a-1.0.tar.gz")).unwrap();
    let spec = Spec::parse(&format!("{url}#sha256={DIGEST}"), dir.path()).unwrap();
    assert!(
        matches!(spec, Spec::Archive { path, sha256: Some(_), .. } if path == root.join("a-1.0.tar.gz"))
    );
    assert!(matches!(
        parse("file://example.invalid/x.zip"),
        Err(SpecError::Url { .. })
    ));
}

#[test]
fn repositories_have_a_reference_and_a_subdirectory() {
    for (text, wanted, at, folder) in [
        (
            "git+https://example.invalid/x.git@main",
            "https://example.invalid/x.git",
            Some("main"),
            None,
        ),
        (
            "GIT+ssh://git@example.invalid/x",
            "ssh://git@example.invalid/x",
            None,
            None,
        ),
        (
            "foo @ git+https://me:pw@example.invalid/a/x@feature/y#subdirectory=src",
            "https://example.invalid/a/x",
            Some("feature/y"),
            Some("src"),
        ),
        (
            "git+file:///srv/x@v1.0#egg=foo",
            "file:///srv/x",
            Some("v1.0"),
            None,
        ),
        (
            "git+file:///srv/a@b/x@v1",
            "file:///srv/a@b/x",
            Some("v1"),
            None,
        ),
    ] {
        let Ok(Spec::Git {
            url,
            reference,
            subdirectory,
            ..
        }) = parse(text)
        else {
            panic!("{text}");
        };
        assert_eq!(url.address(), wanted, "{text}");
        assert_eq!(reference.as_ref().map(Reference::as_str), at, "{text}");
        assert_eq!(subdirectory.as_deref(), folder, "{text}");
    }
    let spec = parse("foo @ git+https://me:pw@example.invalid/x@v1").unwrap();
    assert_eq!(spec.name().unwrap().as_ref(), "foo");
    assert_eq!(spec.to_string(), "git+https://example.invalid/x@v1");
    for text in [
        "git+https://example.invalid/x@--upload-pack=id",
        "git+https://example.invalid/x@%2D-upload-pack=id",
        "git+https://example.invalid/x@a..b",
        "git+https://example.invalid/x@",
        "git+ext::sh -c id",
        "git+ext::sh",
        "git+git://example.invalid/x",
        "git+http://example.invalid/x",
        "git+./x",
        "foo @ git+ext::sh",
    ] {
        assert!(
            matches!(
                parse(text),
                Err(SpecError::Git { .. } | SpecError::Url { .. })
            ),
            "{text}"
        );
    }
}

#[test]
fn what_is_not_supported_says_so() {
    for text in [
        "hg+https://example.invalid/x",
        "foo @ svn+https://example.invalid/x",
    ] {
        assert!(
            matches!(parse(text), Err(SpecError::Repository { .. })),
            "{text}"
        );
    }
    for text in [
        "w-1-py3-none-any.whl#subdirectory=x",
        "https://example.invalid/w-1-py3-none-any.whl#subdirectory=x",
        "foo[bar] @ https://example.invalid/x",
        "foo @ https://example.invalid/x ; python_version < '3'",
        "./project[docs]",
        &format!("./project#sha256={DIGEST}"),
    ] {
        assert!(
            matches!(parse(text), Err(SpecError::Unsupported { .. })),
            "{text}"
        );
    }
    for text in [
        "ftp://example.invalid/x",
        "ext::sh -c x",
        "foo @ ./x",
        "foo @ ext://x y",
    ] {
        assert!(parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_wheel_that_is_named_by_its_place_has_the_name_of_its_file() {
    let here = here();
    let place = here.path().display().to_string();
    for text in [
        "w-1-py3-none-any.whl".to_owned(),
        "./w-1-py3-none-any.whl#egg=W".to_owned(),
        format!("w @ file://{place}/w-1-py3-none-any.whl#sha256={DIGEST}"),
        "https://example.invalid/a/w-1-py3-none-any.whl?x=y".to_owned(),
        "W @ https://me:x@example.invalid/%77-1-py3-none-any.whl".to_owned(),
    ] {
        let spec = Spec::parse(&text, here.path()).expect(&text);
        let wheel = spec.wheel().expect(&text);
        assert_eq!(wheel.filename, "w-1-py3-none-any.whl");
        assert_eq!(wheel.parts.version.to_string(), "1");
        assert_eq!(spec.name(), Some(&wheel.parts.name));
    }
    fs::write(here.path().join("w-1.whl"), b"x").unwrap();
    let of = |text: &str| Spec::parse(text, here.path()).expect_err(text);
    assert!(matches!(of("./w-1.whl"), SpecError::Wheel { .. }));
    assert_eq!(of("./w-1.whl").code(), Code::BadWheel);
    let other = of("./w-1-py3-none-any.whl#egg=other");
    assert_eq!(other.code(), Code::WrongName, "{other}");
}

#[test]
fn what_is_nothing_is_an_error() {
    assert!(matches!(parse("  "), Err(SpecError::Empty)));
    assert!(matches!(
        parse("a\u{1b}[31m"),
        Err(SpecError::Control { .. })
    ));
    assert!(matches!(
        parse(&"a".repeat(9000)),
        Err(SpecError::TooLong { .. })
    ));
    assert!(matches!(parse("==1.0"), Err(SpecError::Requirement { .. })));
    assert!(matches!(parse("-r"), Err(SpecError::Requirement { .. })));
    assert!(matches!(parse("./missing"), Err(SpecError::Path { .. })));
    assert!(matches!(
        parse("missing-1.0.tar.gz"),
        Err(SpecError::Path { .. })
    ));
    assert!(matches!(
        parse("/dev/null"),
        Err(SpecError::NotAFile { .. })
    ));
}

#[test]
fn neither_specs_nor_errors_show_credentials() {
    let secret = "https://me:hunter2@example.invalid";
    let spec = parse(&format!("{secret}/x.zip?token=hunter2")).unwrap();
    assert!(!format!("{spec} {spec:?}").contains("hunter2"));
    for text in [
        format!("{secret}/x.zip#nonsense"),
        format!("foo @ {secret}/x.zip ; python_version < '3'"),
        format!("git+{secret}/x?y"),
        format!("hg+{secret}/x"),
        format!("{secret}/x.whl?token=hunter2"),
        format!("y @ {secret}/x-1-py3-none-any.whl?token=hunter2"),
        format!("{secret}/ x"),
        format!("==1.0 {secret}"),
    ] {
        let error = parse(&text).unwrap_err();
        let source = std::error::Error::source(&error).map(ToString::to_string);
        assert!(
            !format!("{error} {error:?} {source:?}").contains("hunter2"),
            "{error:?}"
        );
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,60}|[a-z@:/.#\\[\\];=& ]{0,40}") {
        let dir = std::path::Path::new("/nonexistent");
        if let Ok(spec) = Spec::parse(&text, dir) {
            let shown = spec.to_string();
            prop_assert!(shown.chars().all(names::is_harmless));
        }
    }

    #[test]
    fn a_subdirectory_that_is_taken_stays_beneath(folder in "[a./%2e]{1,12}") {
        let text = format!("https://example.invalid/x#subdirectory={folder}");
        if let Ok(Spec::Url { subdirectory: Some(folder), .. }) = parse(&text) {
            let ordinary = std::path::Path::new(&folder)
                .components()
                .all(|part| matches!(part, std::path::Component::Normal(_)));
            prop_assert!(ordinary, "{}", folder);
        }
    }
}
