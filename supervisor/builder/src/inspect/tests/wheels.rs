//! Hostile wheels, rows 109 to 115 of the attack matrix, and honest ones.

use model::Code;

use super::making::{DIST_INFO, FILENAME, honest, inspect_bytes, tags};
use crate::inspect::{BadWheel, Expected, inspect};

#[test]
fn an_honest_wheel_passes_without_a_note() {
    let inspected = honest().inspect().unwrap();
    assert_eq!(inspected.filename.name.as_ref(), "foo-bar");
    assert_eq!(inspected.metadata.version.to_string(), "1.0.0");
    assert_eq!(inspected.notes, Vec::<String>::new());
    let strict = honest().strict().inspect().unwrap();
    assert_eq!(strict.notes, Vec::<String>::new());
}

#[test]
fn honest_variety_passes() {
    let scripts = "[console_scripts]\nfoo = foo_bar:main\nfoo-2 = foo_bar.cli:App.run [x,y]\n\n[foo.plugins]\nanything at all = goes here: yes\n";
    let notes = honest()
        .meta("entry_points.txt", scripts)
        .meta("licenses/LICENSE", "text")
        .meta("RECORD.jws", "signed")
        .file("foo_bar-1.0.data/scripts/foo.sh", "#!python\n")
        .file("foo_bar-1.0.data/headers/foo.h", "int x;\n")
        .file("foo_bar/größe.txt", "y")
        .folder("foo_bar/")
        .notes();
    assert_eq!(notes, Vec::<String>::new());
    let unsigned = honest().unrecorded(&format!("{DIST_INFO}/RECORD.p7s"), "signed");
    assert!(unsigned.notes().is_empty());
    let without_itself =
        honest().record(|text| text.replace(&format!("{DIST_INFO}/RECORD,,\n"), ""));
    assert!(without_itself.notes().is_empty());
    let lines = honest().record(|text| text.replace('\n', "\r\n"));
    assert!(lines.notes().is_empty());
}

#[test]
fn names_and_versions_must_agree_everywhere() {
    let tags = tags();
    let bytes = honest().bytes();
    let mut file = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut file, &bytes).unwrap();
    let ask = |name: &str, version: &str| {
        let name = name.parse().unwrap();
        let version = version.parse().unwrap();
        let expected = Expected {
            name: Some(&name),
            version: Some(&version),
            tags: Some(&tags),
            strict: true,
            token: None,
        };
        inspect(&file, FILENAME, &expected)
    };
    ask("Foo.Bar", "1").unwrap();
    let error = ask("foo", "1.0").unwrap_err();
    assert_eq!((error.rule(), error.code()), ("name", Code::WrongName));
    assert_eq!(
        error.to_string(),
        "the name of the file is `foo-bar`, but the request says `foo`"
    );
    assert_eq!(ask("foo-bar", "1.1").unwrap_err().rule(), "version");
    let metadata = |text: &str| honest().meta("METADATA", text).rule();
    assert_eq!(
        metadata("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n"),
        "name"
    );
    assert_eq!(
        metadata("Metadata-Version: 2.1\nName: foo-bar\nVersion: 1.0.1\n"),
        "version"
    );
    assert_eq!(metadata("Name foo-bar\n"), "metadata");
    assert_eq!(honest().named("foo_bar-1.0.whl").rule(), "filename");
    assert_eq!(
        honest().named("foo_baz-1.0-py3-none-any.whl").rule(),
        "dist-info"
    );
}

#[test]
fn a_wheel_that_the_interpreter_can_not_use_is_refused() {
    let wheel = |tag: &str| {
        let text = format!("Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tag}\n");
        honest()
            .meta("WHEEL", &text)
            .named(&format!("foo_bar-1.0-{tag}.whl"))
    };
    assert_eq!(wheel("cp312-cp312-linux_x86_64").rule(), "tags");
    assert_eq!(wheel("py3-none-win_amd64").rule(), "tags");
    assert!(wheel("cp311-cp311-linux_x86_64").notes().is_empty());
    assert!(wheel("cp38-abi3-manylinux_2_17_x86_64").notes().is_empty());
}

#[test]
fn the_wheel_file_is_there_and_of_a_known_version() {
    assert_eq!(honest().without("WHEEL").rule(), "dist-info");
    let wheel = |text: &str| honest().meta("WHEEL", text);
    assert_eq!(
        wheel("Root-Is-Purelib: true\nTag: py3-none-any\n").rule(),
        "wheel-file"
    );
    assert_eq!(
        wheel("Wheel-Version: 2.0\nTag: py3-none-any\n").rule(),
        "wheel-file"
    );
    assert_eq!(
        wheel("Wheel-Version: 1.0\nRoot-Is-Purelib: true\n").rule(),
        "wheel-file"
    );
    assert_eq!(
        wheel("Wheel-Version: 1.0\nRoot-Is-Purelib: maybe\nTag: py3-none-any\n").rule(),
        "wheel-file"
    );
    assert_eq!(wheel("Wheel-Version: 1.0\nTag: py3\n").rule(), "wheel-file");
    let other = wheel("Wheel-Version: 1.9\nRoot-Is-Purelib: true\nTag: py2-none-any\n").notes();
    assert_eq!(other.len(), 2, "{other:?}");
}

#[test]
fn record_tells_the_truth_about_every_file() {
    assert_eq!(honest().record(|_| String::new()).rule(), "dist-info");
    assert_eq!(
        honest().unrecorded("foo_bar/extra.py", "boo").rule(),
        "record"
    );
    assert_eq!(
        honest()
            .record(|text| text + "foo_bar/gone.py,sha256=aaaa,4\n")
            .rule(),
        "record"
    );
    let gone = format!("foo_bar/gone.py,sha256={},4\n", "A".repeat(43));
    assert_eq!(honest().record(move |text| text + &gone).rule(), "record");
    let edits: [(&str, &str); 6] = [
        ("__init__.py,sha256=", "__init__.py,sha256=A"),
        ("__init__.py,sha256=", "__init__.py,md5="),
        ("__init__.py,sha256=", "__init__.py,"),
        (",6\n", ",7\n"),
        (",6\n", ",six\n"),
        (",6\n", "\n"),
    ];
    for (from, to) in edits {
        let wheel = honest().record(move |text| {
            assert!(text.contains(from), "{text}");
            text.replace(from, to)
        });
        assert_eq!(wheel.rule(), "record", "{from:?} -> {to:?}");
    }
    let other_bytes = honest().record(|text| {
        let other = format!("sha256={}", "A".repeat(43));
        let first = text
            .lines()
            .next()
            .unwrap()
            .split(',')
            .nth(1)
            .unwrap()
            .to_owned();
        text.replace(&first, &other)
    });
    assert_eq!(other_bytes.rule(), "record");
    let unhashed = honest().record(|text| {
        let line = text
            .lines()
            .find(|line| line.starts_with("foo_bar/data"))
            .unwrap()
            .to_owned();
        text.replace(&line, "foo_bar/data.txt,,")
    });
    assert_eq!(unhashed.rule(), "record");
    let climbing = honest().record(|text| text + "../../bin/sh,,\n");
    assert_eq!(climbing.rule(), "record");
    let twice = honest().record(|text| format!("{}\n{text}", text.lines().next().unwrap()));
    assert_eq!(twice.notes().len(), 1);
    let two_things = honest().record(|text| {
        format!(
            "{},9\n{text}",
            text.lines().next().unwrap().rsplit_once(',').unwrap().0
        )
    });
    assert_eq!(two_things.rule(), "record");
}

#[test]
fn a_stronger_digest_is_taken_and_a_missing_size_is_noted() {
    use base64::Engine as _;
    let digest = <sha2::Sha512 as sha2::Digest>::digest("x = 1\n");
    let digest = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest);
    let line = format!("foo_bar/__init__.py,sha512={digest},\n");
    let notes = honest()
        .record(move |text| {
            let own = text
                .lines()
                .find(|line| line.starts_with("foo_bar/__init__"))
                .unwrap();
            text.replace(&format!("{own}\n"), &line)
        })
        .notes();
    assert_eq!(notes, ["RECORD gives no size for 1 files"]);
}

#[test]
fn members_are_plain_files_with_plain_names() {
    for name in [
        "../evil.py",
        "/etc/evil.py",
        "foo_bar/../../evil.py",
        "foo_bar//evil.py",
        "./evil.py",
        "foo_bar\\evil.py",
        "c:evil.py",
        "foo_bar/a\nb.py",
        "foo_bar/\u{1b}[2J.py",
    ] {
        assert_eq!(honest().file(name, "x").rule(), "member", "{name:?}");
    }
    let deep = "d/".repeat(70) + "x.py";
    assert_eq!(honest().file(&deep, "x").rule(), "member");
    for (mode, what) in [
        (0o120_777, "a symbolic link"),
        (0o010_644, "a FIFO"),
        (0o020_644, "a device"),
        (0o140_644, "a socket"),
        (0o040_755, "a folder"),
    ] {
        let error = honest()
            .mode("foo_bar/x", "/etc/passwd", mode)
            .inspect()
            .unwrap_err();
        assert_eq!(error.rule(), "member", "{what}");
    }
    assert_eq!(honest().file("foo_bar/data.txt/x", "x").rule(), "member");
}

#[test]
fn one_name_stands_once() {
    let twice = honest()
        .file("foo_bar/a.py", "1")
        .file("foo_bar/b.py", "2")
        .patch("foo_bar/b.py", "foo_bar/a.py");
    assert_eq!(twice.rule(), "duplicate");
    let text = twice.inspect().unwrap_err().to_string();
    assert_eq!(text, "the wheel holds `foo_bar/a.py` twice");
    let notes = honest()
        .file("foo_bar/a.py", "1")
        .file("foo_bar/A.py", "2")
        .notes();
    assert_eq!(
        notes,
        ["`foo_bar/a.py` differs from another file only in case"]
    );
}

#[test]
fn a_zip_that_readers_understand_in_two_ways_is_refused() {
    let bytes = honest().bytes();
    let mut prefixed = b"#!/bin/sh\n".to_vec();
    prefixed.extend(&bytes);
    let mut trailing = bytes.clone();
    trailing.extend(b"PK\x05\x06 more");
    let cut = &bytes[..bytes.len() - 30];
    for bad in [&prefixed[..], &trailing, cut, b"", b"not a zip"] {
        let error = inspect_bytes(bad, FILENAME, false).unwrap_err();
        assert!(matches!(error, BadWheel::Zip(_)), "{error:?}");
    }
    let name = "foo_bar/gr\u{f6}\u{df}e.txt";
    let mut unflagged = honest().file(name, "y").bytes();
    // The flag for UTF-8 goes from both headers of every member that has it.
    for start in 0..unflagged.len() - 10 {
        match &unflagged[start..start + 4] {
            b"PK\x03\x04" => unflagged[start + 7] &= !8,
            b"PK\x01\x02" => unflagged[start + 9] &= !8,
            _ => {}
        }
    }
    assert_eq!(
        inspect_bytes(&unflagged, FILENAME, false)
            .unwrap_err()
            .rule(),
        "member"
    );
}

#[test]
fn a_bomb_is_refused_before_it_goes_off() {
    let zeroes = "\0".repeat(160 << 20);
    let bomb = honest().file("foo_bar/zeroes", &zeroes);
    assert_eq!(bomb.rule(), "bomb");
    let readme = honest().meta("METADATA", &"x".repeat(5 << 20));
    assert_eq!(readme.rule(), "bomb");
}

#[test]
fn there_is_one_dist_info_that_fits() {
    assert_eq!(honest().without("METADATA").rule(), "dist-info");
    let twice = honest().file(
        "Foo.Bar-1.0.0.dist-info/METADATA",
        "Metadata-Version: 2.1\n",
    );
    assert_eq!(twice.rule(), "dist-info");
    let foreign = || honest().file("pip-99.0.dist-info/METADATA", "Metadata-Version: 2.1\n");
    let notes = foreign().notes();
    assert_eq!(
        notes,
        ["it brings the folder `pip-99.0.dist-info` of another distribution"]
    );
    assert_eq!(foreign().strict().rule(), "strict");
}
