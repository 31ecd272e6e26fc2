//! What a wheel would install: data, programs, and files that act unasked (rows 111 to 114).

use super::making::honest;

#[test]
fn data_is_installed_from_known_folders_only() {
    for name in [
        "foo_bar-1.0.data/stdlib/os.py",
        "foo_bar-1.0.data/loose.py",
        "foo_bar-1.0.data/scripts",
        "other-1.0.data/scripts/x",
        "foo_bar-2.0.data/scripts/x",
    ] {
        assert_eq!(honest().file(name, "x").rule(), "data", "{name}");
    }
    assert_eq!(
        honest()
            .file("foo_bar-1.0.data/scripts/../../x", "x")
            .rule(),
        "member"
    );
    let anywhere = || honest().file("foo_bar-1.0.data/data/etc/x.conf", "x");
    assert_eq!(
        anywhere().notes(),
        ["it installs 1 files anywhere below the environment, `etc/x.conf` first"]
    );
    assert_eq!(anywhere().strict().rule(), "strict");
}

#[test]
fn entry_points_name_functions_and_plain_programs() {
    let group =
        |lines: &str| honest().meta("entry_points.txt", &format!("[console_scripts]\n{lines}\n"));
    for lines in [
        "../../bin/sh = foo_bar:main",
        "a/b = foo_bar:main",
        "$(reboot) = foo_bar:main",
        "a;b = foo_bar:main",
        "-rf = foo_bar:main",
        ".. = foo_bar:main",
        " = foo_bar:main",
        "a\\b = foo_bar:main",
        "foo = foo_bar",
        "foo = foo_bar:main()",
        "foo = foo_bar:main; import os",
        "foo = foo_bar:\"x\"",
        "foo = os:system('x')",
        "foo = foo bar:main",
        "foo = foo_bar:main [x\"]",
        "foo = foo_bar:main\n  import os",
        "foo = foo_bar:main\nfoo = foo_bar:other",
        "foo",
        "foo = foo_bar:ma\u{7}in",
        "[x/y]",
    ] {
        assert_eq!(group(lines).rule(), "entry-points", "{lines:?}");
    }
    assert_eq!(
        honest().meta("entry_points.txt", "foo = a:b\n").rule(),
        "entry-points"
    );
    let odd = honest()
        .meta("entry_points.txt", "[other.group]\nno equals sign\n")
        .notes();
    assert_eq!(
        odd,
        ["entry_points.txt, line 2, is not understood: `no equals sign`"]
    );
}

#[test]
fn what_acts_unasked_or_in_anothers_name_is_noted_and_strictly_refused() {
    let rows = [
        (
            "evil.pth",
            "is read, and may run code, at every start of Python",
        ),
        (
            "foo_bar-1.0.data/purelib/evil.PTH",
            "is read, and may run code",
        ),
        ("evil.start", "is read, and may run code"),
        ("sitecustomize.py", "`sitecustomize` runs at every start"),
        (
            "usercustomize/__init__.py",
            "`usercustomize` runs at every start",
        ),
        (
            "foo_bar-1.0.data/platlib/sitecustomize.py",
            "runs at every start",
        ),
        (
            "setuptools/__init__.py",
            "`setuptools`, which belongs to setuptools",
        ),
        ("pip.py", "`pip`, which belongs to pip"),
        ("other.egg-info/PKG-INFO", "of another kind of installation"),
        (
            "foo_bar-1.0.data/scripts/python3",
            "replaces the program `python3`",
        ),
        ("foo_bar/lib.so", "holds 1 files of machine code"),
    ];
    for (name, words) in rows {
        let notes = honest().file(name, "x").notes();
        assert!(
            notes.iter().any(|note| note.contains(words)),
            "{name}: {notes:?}"
        );
        assert_eq!(honest().file(name, "x").strict().rule(), "strict", "{name}");
    }
    let program = || {
        honest().meta(
            "entry_points.txt",
            "[gui_scripts]\npython3.11 = foo_bar:main\n",
        )
    };
    assert!(program().notes()[0].contains("replaces the program `python3.11`"));
    assert_eq!(program().strict().rule(), "strict");
    let nested = honest()
        .file("foo_bar/_vendor/x.pth", "x")
        .file("foo_bar/sitecustomize.py", "x")
        .strict();
    assert!(nested.notes().is_empty());
}

#[test]
fn set_id_bits_are_noted_and_strictly_refused() {
    for mode in [0o104_755, 0o102_755, 0o101_755] {
        let odd = || honest().mode("foo_bar/tool", "x", mode);
        assert!(
            odd().notes()[0].starts_with("`foo_bar/tool` (mode "),
            "{mode:o}"
        );
        assert_eq!(odd().strict().rule(), "strict", "{mode:o}");
    }
    let open = || {
        honest()
            .mode("foo_bar/a", "x", 0o100_666)
            .mode("foo_bar/b", "x", 0o100_666)
    };
    let notes = ["`foo_bar/a` (mode 666) and 1 more files ask to be writable by everyone"];
    assert_eq!(open().notes(), notes);
    assert_eq!(open().strict().notes(), notes);
    assert!(
        honest()
            .mode("foo_bar/tool", "x", 0o100_755)
            .notes()
            .is_empty()
    );
}

#[test]
fn notes_are_bounded_and_printable() {
    let mut wheel = honest();
    for number in 0..80 {
        wheel = wheel.file(&format!("evil{number}\u{202e}.pth"), "x");
    }
    let notes = wheel.notes();
    assert_eq!(notes.len(), 51);
    assert_eq!(notes[50], "30 more notes were left out");
    assert!(
        notes.iter().all(|note| !note.contains('\u{202e}')),
        "{notes:?}"
    );
}
