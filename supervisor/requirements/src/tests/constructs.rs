//! Each construct of pip's documentation of requirements files, taken or refused; the table in
//! `docs/requirement-files.md` says the same to people.

use model::Code;

use super::{World, lines, read, texts};
use crate::{Format, RequirementsError, Wish};

const SHA256: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/// A construct, and what is done with it: a part of the error, or nothing where it is taken.
struct Construct {
    text: String,
    refused: Option<&'static str>,
}

fn taken(text: &str) -> Construct {
    Construct {
        text: text.to_owned(),
        refused: None,
    }
}

fn refused(text: &str, why: &'static str) -> Construct {
    Construct {
        text: text.to_owned(),
        refused: Some(why),
    }
}

#[expect(
    clippy::too_many_lines,
    reason = "one table, a line for each construct"
)]
fn constructs() -> Vec<Construct> {
    vec![
        taken("pytest"),
        taken("docopt == 0.6.1"),
        taken("requests [security] >= 2.8.1, == 2.8.* ; python_version < \"2.7\""),
        taken("urllib3 @ https://example.invalid/urllib3-1.26.8.zip"),
        taken("./downloads/foo-1.0.tar.gz"),
        taken("downloads/foo"),
        taken("/srv/foo"),
        taken("file:///srv/foo-1.0.tar.gz"),
        taken("https://example.invalid/foo-1.0.tar.gz"),
        taken("https://example.invalid/foo-1.0.tar.gz#sha256=0&egg=foo"),
        taken("git+https://example.invalid/foo.git@v1#subdirectory=sub"),
        taken("foo @ git+https://example.invalid/foo.git@v1"),
        refused("-e ./foo", "r.txt:1: `./foo` is an editable requirement"),
        refused("--editable=./foo", "r.txt:1: `./foo` is an editable"),
        refused(
            "-e git+https://me:secret@example.invalid/foo",
            "r.txt:1: `git+https://example.invalid/foo` is an editable",
        ),
        taken("-r other.txt"),
        taken("-rother.txt"),
        taken("--requirement other.txt"),
        taken("--requirement=other.txt"),
        taken("-c other.txt"),
        taken("--constraint other.txt"),
        taken("-i https://example.invalid/simple"),
        taken("--index-url https://example.invalid/simple"),
        taken("--index-url=https://example.invalid/simple"),
        taken("--extra-index-url https://example.invalid/simple"),
        taken("--no-index"),
        taken("-f /srv/wheels"),
        taken("--find-links https://example.invalid/links"),
        taken("--no-binary :all:"),
        taken("--only-binary numpy,scipy"),
        taken("--prefer-binary"),
        taken("--require-hashes"),
        taken("--pre"),
        taken("--trusted-host example.invalid:8443"),
        taken("--use-feature fast-deps"),
        taken("--no-index --find-links /srv/wheels"),
        taken(&format!("foo==1 --hash=sha256:{SHA256}")),
        taken(&format!("foo==1 --hash sha256:{SHA256}")),
        taken(&format!(
            "foo==1 \\\n  --hash=sha256:{SHA256} \\\n  --hash=sha512:{SHA256}{SHA256}"
        )),
        refused(
            "foo==1 --hash=md5:900150983cd24fb0d6963f7d28e17f72",
            "r.txt:1: `--hash`: md5",
        ),
        refused(
            "foo==1 --hash=sha256:00",
            "r.txt:1: `--hash`: a sha256 has 64",
        ),
        refused("foo==1 --hash", "r.txt:1: `--hash` has no value"),
        refused(
            "--hash=sha256:00",
            "r.txt:1: `--hash` belongs behind a requirement",
        ),
        taken("foo --config-settings=\"--plat=a b\" --config-settings k=v"),
        taken("foo -C k=v"),
        refused(
            "foo --config-settings k",
            "r.txt:1: `--config-settings`: `k` is not KEY=VALUE",
        ),
        refused(
            "--config-settings k=v",
            "r.txt:1: `--config-settings` belongs behind",
        ),
        refused(
            "foo --global-option=x",
            "r.txt:1: `--global-option` is not taken",
        ),
        refused(
            "foo --install-option=x",
            "r.txt:1: `--install-option` is not taken",
        ),
        refused(
            "foo --pre",
            "r.txt:1: `--pre` does not belong to a requirement",
        ),
        refused(
            "--no-build-isolation",
            "r.txt:1: `--no-build-isolation` is not taken",
        ),
        refused(
            "--build-constraint b.txt",
            "r.txt:1: `--build-constraint` is not taken",
        ),
        refused(
            "--uploaded-prior-to P3D",
            "r.txt:1: `--uploaded-prior-to` is not taken",
        ),
        refused("--all-releases foo", "is not taken"),
        refused(
            "--process-dependency-links",
            "r.txt:1: `--process-dependency-links` is not taken",
        ),
        refused(
            "--requiremen other.txt",
            "`--requiremen` is cut short; it is written `--requirement`",
        ),
        refused("--what", "r.txt:1: `--what` is not an option"),
        refused("-x", "r.txt:1: `-x` is not an option"),
        refused("--pre yes", "r.txt:1: `yes` stands behind the options"),
        refused("--pre=yes", "r.txt:1: `--pre` takes no value"),
        refused("foo --hash 'sha256:", "r.txt:1: a quote is not closed"),
        refused(
            "-r https://example.invalid/r.txt",
            "is not read, which r.txt:1 names",
        ),
        refused(
            "-r missing.txt",
            "could not read `missing.txt`, which r.txt:1 names",
        ),
        refused(
            "-r pyproject.toml",
            "`pyproject.toml` is not read, which r.txt:1 names",
        ),
        refused(
            "-c pylock.toml",
            "`pylock.toml` is not read, which r.txt:1 names",
        ),
        refused("-r setup.py", "`setup.py` is not read"),
        refused(
            "-r r.txt",
            "r.txt:1: `r.txt` includes itself: `r.txt` includes `r.txt`",
        ),
        refused("foo${NOT_SET}", "r.txt:1: the variable NOT_SET is not set"),
        refused("foo\u{2028}bar", "r.txt:1: it has the character U+2028"),
    ]
}

#[test]
fn each_construct_is_taken_or_refused_with_its_line() {
    for Construct { text, refused } in constructs() {
        let world = World::default()
            .file("r.txt", &text)
            .file("other.txt", "six<2\n");
        match (world.requirements("r.txt"), refused) {
            (Ok(_), None) => {}
            (Err(error), Some(why)) => {
                let said = error.to_string();
                assert!(said.contains(why), "{text}: {said}");
                assert!(!said.contains("secret"), "{said}");
            }
            (Ok(_), Some(why)) => panic!("`{text}` is taken, not refused with: {why}"),
            (Err(error), None) => panic!("`{text}` is refused: {error}"),
        }
    }
}

#[test]
fn the_table_for_people_names_every_option() {
    let page = include_str!("../../../../docs/requirement-files.md");
    for (names, ..) in crate::file::ROWS {
        for name in *names {
            assert!(page.contains(&format!("`{name}")), "{name}");
        }
    }
}

#[test]
fn comments_and_continued_lines_are_those_of_pip() {
    let text = "# head \\\nsix  # why\n\nattrs \\\n  ==1 \\\n  # in between \\\nurl@x#y\na#b\n  \n";
    let collected = read(text).unwrap();
    assert_eq!(texts(&collected), ["six", "attrs   ==1", "url@x#y", "a#b"]);
    let at: Vec<_> = lines(&collected)
        .iter()
        .map(|line| line.place.line)
        .collect();
    assert_eq!(at, [2, 4, 7, 8]);
    assert_eq!(texts(&read("six \\").unwrap()), ["six"]);
    assert_eq!(texts(&read("a\r\nb\rc").unwrap()), ["a", "b", "c"]);
}

#[test]
fn variables_have_capitals_and_their_values_are_shown_nowhere() {
    let world = World::default()
        .file(
            "r.txt",
            "foo @ https://${USER_1}:${TOKEN}@example.invalid/f.zip\n$HOME ${home}\n",
        )
        .variable("USER_1", "me")
        .variable("TOKEN", "secret");
    let collected = world.requirements("r.txt").unwrap();
    assert_eq!(
        texts(&collected),
        [
            "foo @ https://me:secret@example.invalid/f.zip",
            "$HOME ${home}"
        ]
    );
    assert!(!format!("{collected:?}").contains("secret"));
    assert!(lines(&collected)[0].written.contains("${TOKEN}"));
}

#[test]
fn nested_files_are_found_beside_the_file_that_names_them() {
    let world = World::default()
        .file("reqs/r.txt", "-r sub/a.txt\n-c c.txt\nlast\n")
        .file("reqs/sub/a.txt", "-r ../b.txt\na\n")
        .file("reqs/b.txt", "b\n")
        .file("reqs/c.txt", "six<2\n-r d.txt\n")
        .file("reqs/d.txt", "d\n");
    let collected = world.requirements("reqs/r.txt").unwrap();
    assert_eq!(texts(&collected), ["b", "a", "d", "last"]);
    assert_eq!(collected.constraints.len(), 1);
    assert_eq!(collected.constraints[0].place.to_string(), "reqs/c.txt:1");
}

#[test]
fn a_circle_of_files_is_noticed_and_named() {
    let world = World::default()
        .file("a.txt", "-r b.txt\n")
        .file("b.txt", "six\n-c a.txt\n");
    let error = world.requirements("a.txt").unwrap_err();
    assert!(matches!(error, RequirementsError::Recursion { .. }));
    assert_eq!(
        error.to_string(),
        "b.txt:2: `a.txt` includes itself: `a.txt` includes `b.txt` includes `a.txt`"
    );
    let error = World::default()
        .file("d/r.txt", "-r ../d/./r.txt\n")
        .error("d/r.txt");
    assert!(error.contains("includes itself"), "{error}");
    // The same file twice is no circle; what it asks for is asked for once.
    let world = World::default()
        .file("r.txt", "-r a.txt\n-r a.txt\n")
        .file("a.txt", "six\n");
    assert_eq!(texts(&world.requirements("r.txt").unwrap()), ["six"]);
}

#[test]
fn files_that_include_each_other_without_end_are_not_read_without_end() {
    let mut world = World::default();
    for at in 0..40 {
        let next = at + 1;
        world = world.file(
            &format!("{at}.txt"),
            format!("-r {next}.txt\n-r {next}.txt\n"),
        );
    }
    let error = world.file("40.txt", "six").error("0.txt");
    assert!(error.contains("more than 500 files"), "{error}");
}

#[test]
fn options_are_kept_in_order_and_with_their_lines() {
    let text = "-i https://me:secret@one.invalid/simple\n--extra-index-url https://two.invalid\n-i https://three.invalid\n-f wheels\n--no-binary a\n--only-binary b\n--no-binary c\n--pre\n";
    let world = World::default().file("d/r.txt", text).file("d/wheels", "");
    let options = world.requirements("d/r.txt").unwrap().options;
    assert_eq!(
        options.index_url.as_ref().unwrap().value,
        "https://three.invalid"
    );
    assert_eq!(options.index_url.as_ref().unwrap().place.line, 3);
    assert_eq!(options.extra_index_urls[0].value, "https://two.invalid");
    // Beside the file, because it is there.
    assert_eq!(options.find_links[0].value, "d/wheels");
    let formats: Vec<_> = options
        .formats
        .iter()
        .map(|(format, at)| (*format, at.value.as_str()))
        .collect();
    assert_eq!(
        formats,
        [
            (Format::NoBinary, "a"),
            (Format::OnlyBinary, "b"),
            (Format::NoBinary, "c")
        ]
    );
    assert!(options.pre && !options.prefer_binary);
    assert!(!format!("{options:?}").contains("secret"));
    let elsewhere = read("-f wheels\n").unwrap().options;
    assert_eq!(elsewhere.find_links[0].value, "wheels");
}

#[test]
fn encodings_are_read_off_the_file_and_never_guessed() {
    let of = |bytes: &[u8]| {
        World::default()
            .file("r.txt", bytes)
            .requirements("r.txt")
            .map(|all| texts(&all))
    };
    assert_eq!(of(b"\xef\xbb\xbfsix\n").unwrap(), ["six"]);
    assert_eq!(of(b"\xff\xfes\0i\0x\0").unwrap(), ["six"]);
    assert_eq!(of(b"\xfe\xff\0s\0i\0x").unwrap(), ["six"]);
    assert_eq!(
        of(b"# -*- coding: latin-1 -*-\n./f\xfc\n").unwrap(),
        ["./f\u{fc}"]
    );
    assert_eq!(
        of(b"#!x\n# vim: set fileencoding=cp1252 :\n./\x80\n").unwrap(),
        ["./\u{20ac}"]
    );
    assert_eq!(of("./\u{20ac}\n".as_bytes()).unwrap(), ["./\u{20ac}"]);
    for (bytes, why) in [
        (&b"six\n./f\xfc\n"[..], "r.txt:2: it is not UTF-8"),
        (
            b"# coding: klingon\nsix\n",
            "r.txt:1: its encoding `klingon` is not read",
        ),
        (b"\xff\xfe\0\0s\0\0\0", "r.txt:1: it is UTF-32"),
    ] {
        let error = of(bytes).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn constraints_are_names_with_versions_and_hashes() {
    let of = |text: &str| {
        let world = World::default().file("c.txt", text);
        world.collect(&[Wish::Constraints("c.txt".to_owned())])
    };
    let text = format!("six<2 ; python_version > '3'\nattrs==1 --hash=sha256:{SHA256}\n");
    let constraints = of(&text).unwrap().constraints;
    assert_eq!(constraints[0].requirement.name.to_string(), "six");
    assert!(!constraints[1].hashes.is_empty());
    for (text, why) in [
        ("six[x]<2", "c.txt:1: a constraint has no extras"),
        (
            "six @ https://example.invalid/six.zip",
            "c.txt:1: a constraint does not say where",
        ),
        ("./six", "c.txt:1:1: not a constraint"),
        ("six >= \n", "c.txt:1:5: not a constraint"),
        ("six -C a=b", "c.txt:1: settings of a build"),
        ("-e ./six", "editable"),
    ] {
        let error = of(text).unwrap_err();
        assert!(error.to_string().contains(why), "{text}: {error}");
        let is_known = matches!(error.code(), Code::BadRequirements | Code::Editable);
        assert!(is_known, "{error}");
    }
}

#[test]
fn files_of_other_kinds_are_named_with_what_to_do() {
    for name in [
        "uv.lock",
        "setup.py",
        "other.toml",
        "environment.yml",
        "foo.whl",
    ] {
        let error = World::default().requirements(name).unwrap_err();
        assert!(matches!(error, RequirementsError::Kind { .. }), "{error}");
        assert!(error.hint().is_some(), "{error}");
    }
}
