//! What honest writers make is laid down as they meant it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use ::tar::Header;

use super::{Room, TarMaker, file_of, gz, header, lays};
use crate::{Budget, Kind, Top, peek};

fn tar() -> TarMaker {
    TarMaker::default()
}

fn sdist() -> TarMaker {
    tar()
        .folder("foo-1.0/")
        .file("foo-1.0/setup.py", b"from setuptools import setup")
        .file("foo-1.0/src/foo/__init__.py", b"")
        .file("foo-1.0/PKG-INFO", b"Name: foo")
}

const SDIST: [&str; 5] = [
    "PKG-INFO",
    "setup.py",
    "src/",
    "src/foo/",
    "src/foo/__init__.py",
];

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut writer =
        lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(6)).unwrap();
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

fn bz2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn every_compression_gives_the_same_tree() {
    let bytes = sdist().done();
    for packed in [bytes.clone(), gz(&bytes), bz2(&bytes), xz(&bytes)] {
        let (room, unpacked) = lays(&packed, Top::OneFolder);
        assert_eq!(room.listing(), SDIST);
        assert_eq!(unpacked.top_folder.as_deref(), Some("foo-1.0"));
        assert_eq!((unpacked.members, unpacked.bytes), (5, 37));
        assert_eq!(unpacked.notes, [""; 0]);
    }
}

#[test]
fn streams_in_a_row_and_zeros_behind_them() {
    let bytes = sdist().done();
    let (one, two) = bytes.split_at(700);
    for packed in [
        [gz(one), gz(two)].concat(),
        [gz(&bytes), vec![0; 9000]].concat(),
        [bz2(one), bz2(two)].concat(),
        [bz2(&bytes), vec![0; 512]].concat(),
        [xz(one), xz(two), vec![0; 512]].concat(),
        gz(&[&bytes[..], &[0; 20_000]].concat()),
        gz(&sdist().unfinished()),
    ] {
        assert_eq!(lays(&packed, Top::OneFolder).0.listing(), SDIST);
    }
}

#[test]
fn the_top_is_stripped_as_asked() {
    let sdist = sdist().done();
    let (room, unpacked) = lays(&sdist, Top::Bare);
    assert_eq!(unpacked.top_folder, None);
    assert!(room.path().join("foo-1.0/setup.py").is_file());
    assert_eq!(lays(&sdist, Top::Any).0.listing(), SDIST);
    let flat = tar().file("./setup.py", b"").file("./src/x.py", b"").done();
    let (room, unpacked) = lays(&flat, Top::Any);
    assert_eq!(room.listing(), ["setup.py", "src/", "src/x.py"]);
    assert_eq!(unpacked.top_folder, None);
    let dotted = tar()
        .folder("./")
        .folder("./p/")
        .file("./p/setup.py", b"")
        .done();
    assert_eq!(lays(&dotted, Top::OneFolder).0.listing(), ["setup.py"]);
}

#[test]
fn left_overs_beside_the_folder_are_left_out_and_told() {
    let bytes = tar()
        .file("._foo-1.0", b"fork")
        .file("pax_global_header", b"52 comment")
        .file("foo-1.0/setup.py", b"");
    let (room, unpacked) = lays(&bytes.done(), Top::OneFolder);
    assert_eq!(room.listing(), ["setup.py"]);
    assert_eq!((unpacked.members, unpacked.notes.len()), (1, 2));
}

#[test]
fn long_names_of_both_kinds() {
    let deep = format!("p/{}/{}/x.py", "d".repeat(120), "e".repeat(130));
    let long = tar()
        .member(b'L', "././@LongLink", "", format!("{deep}\0").as_bytes())
        .file("p/dd", b"gnu");
    let link = long
        .member(
            b'K',
            "././@LongLink",
            "",
            format!("{}\0", &deep[2..]).as_bytes(),
        )
        .link("p/l", "cut");
    let pax = link.pax(
        b'x',
        &[
            ("path", "p/na\u{ef}ve.py"),
            ("mtime", "1500000000.25"),
            ("size", "3"),
        ],
    );
    let global = pax
        .file("p/naive.py", b"pax")
        .pax(b'g', &[("comment", "0123"), ("mtime", "1")]);
    let both = global
        .pax(b'x', &[("path", "p/both")])
        .member(b'L', "l", "", b"p/both\0")
        .file("p/b", b"");
    let (room, _) = lays(&both.done(), Top::OneFolder);
    assert_eq!(room.read(&deep[2..]), b"gnu");
    assert_eq!(fs::read(room.path().join("l")).unwrap(), b"gnu");
    assert_eq!(room.read("na\u{ef}ve.py"), b"pax");
    assert_eq!(
        fs::metadata(room.path().join("na\u{ef}ve.py"))
            .unwrap()
            .mtime(),
        1_500_000_000
    );
    assert!(room.path().join("both").is_file());
}

#[test]
fn a_name_split_into_prefix_and_name() {
    let mut header = Header::new_ustar();
    let path = format!("p/{}/{}.py", "d".repeat(90), "e".repeat(80));
    header.set_path(&path).unwrap();
    header.set_mode(0o644);
    header.set_size(0);
    header.set_cksum();
    assert_eq!(
        lays(&tar().raw(&header, b"").done(), Top::OneFolder)
            .0
            .listing()
            .len(),
        2
    );
}

#[test]
fn modes_and_times_are_tamed() {
    let odd = |name: &[u8], mode, mtime| {
        let mut header = header(b'0', name, b"", 0);
        header.set_mode(mode);
        header.set_mtime(mtime);
        header.set_cksum();
        header
    };
    let bytes = tar()
        .raw(&odd(b"p/suid", 0o6777, 0), b"")
        .raw(&odd(b"p/none", 0o000, u64::from(u32::MAX) * 4), b"")
        .raw(&odd(b"p/wide", 0o666, 1_000_000_000), b"")
        .done();
    let (room, _) = lays(&bytes, Top::OneFolder);
    let seen = |name: &str| {
        let metadata = fs::metadata(room.path().join(name)).unwrap();
        (metadata.permissions().mode() & 0o7777, metadata.mtime())
    };
    assert_eq!(seen("suid"), (0o755, 315_619_200));
    assert_eq!(seen("none"), (0o644, 4_354_732_800));
    assert_eq!(seen("wide"), (0o644, 1_000_000_000));
}

#[test]
fn hard_links_become_copies() {
    let program = {
        let mut header = header(b'0', b"p/a", b"", 3);
        header.set_mode(0o755);
        header.set_cksum();
        header
    };
    let bytes = tar()
        .raw(&program, b"abc")
        .hard_link("p/d/b", "p/a")
        .hard_link("p/c", "./p/d/b")
        .hard_link("p/a", "p/a")
        .done();
    let (room, unpacked) = lays(&bytes, Top::OneFolder);
    assert_eq!(room.listing(), ["a", "c", "d/", "d/b"]);
    assert_eq!((room.read("c"), unpacked.bytes), (b"abc".to_vec(), 9));
    let copy = fs::metadata(room.path().join("d/b")).unwrap();
    assert_eq!((copy.nlink(), copy.mode() & 0o777), (1, 0o755));
}

#[test]
fn links_inside_are_made_last_and_say_what_they_said() {
    let bytes = tar()
        .link("p/early", "src/../src/x")
        .link("p/src/up", "../early")
        .link("p/dangling", "no/such")
        .link("p/round", "round")
        .link("p/here", ".")
        .file("p/src/x", b"x")
        .done();
    let (room, unpacked) = lays(&bytes, Top::OneFolder);
    assert_eq!(
        room.listing(),
        [
            "dangling -> no/such",
            "early -> src/../src/x",
            "here -> .",
            "round -> round",
            "src/",
            "src/up -> ../early",
            "src/x"
        ]
    );
    assert_eq!(room.read("src/up"), b"x");
    assert_eq!(unpacked.members, 7);
}

#[test]
fn folders_may_be_missing_repeated_or_old_fashioned() {
    let bytes = tar()
        .file("p/a/b/c", b"")
        .folder("p/a/")
        .folder("p/a")
        .member(0, "p/old/", "", b"")
        .member(0, "p/old/x", "", b"")
        .member(b'7', "p/solid", "", b"1")
        .done();
    assert_eq!(
        lays(&bytes, Top::OneFolder).0.listing(),
        ["a/", "a/b/", "a/b/c", "old/", "old/x", "solid"]
    );
}

#[test]
fn names_that_differ_in_case_are_told() {
    let bytes = tar().file("p/README", b"1").file("p/readme", b"2").done();
    let (room, unpacked) = lays(&bytes, Top::OneFolder);
    assert_eq!(room.listing(), ["README", "readme"]);
    assert_eq!(
        unpacked.notes,
        ["`p/README` and `p/readme` differ only in case"]
    );
}

#[test]
fn peeking_finds_files_at_the_top_and_through_links() {
    let bytes = sdist()
        .link("foo-1.0/pyproject.toml", "conf/py.toml")
        .hard_link("foo-1.0/COPY", "foo-1.0/PKG-INFO")
        .file("foo-1.0/conf/py.toml", b"[project]")
        .file("foo-1.0/conf/PKG-INFO", b"not this")
        .link("foo-1.0/bad", "conf")
        .done();
    let wanted = [
        "PKG-INFO",
        "pyproject.toml",
        "COPY",
        "none",
        "bad",
        "src",
        "conf/py.toml",
    ];
    let found = peek(
        &file_of(&gz(&bytes)),
        &wanted,
        Top::OneFolder,
        &Budget::default(),
    )
    .unwrap();
    let expected: BTreeMap<String, Vec<u8>> = [
        ("PKG-INFO", &b"Name: foo"[..]),
        ("pyproject.toml", b"[project]"),
        ("COPY", b"Name: foo"),
        ("conf/py.toml", b"[project]"),
    ]
    .map(|(name, bytes)| (name.to_owned(), bytes.to_vec()))
    .into();
    assert_eq!(found, expected);
    let flat = tar().file("PKG-INFO", b"1").file("q/PKG-INFO", b"2").done();
    let found = peek(&file_of(&flat), &["PKG-INFO"], Top::Any, &Budget::default()).unwrap();
    assert_eq!(found["PKG-INFO"], b"1");
}

#[test]
fn a_room_with_something_in_it_is_not_written_over() {
    let room = Room::new();
    fs::write(room.path().join("setup.py"), b"mine").unwrap();
    let refusal = room
        .unpack(&sdist().done(), Top::OneFolder, &Budget::default())
        .unwrap_err();
    assert_eq!(
        (refusal.rule(), room.read("setup.py")),
        ("io", b"mine".to_vec())
    );
    let room = Room::new();
    std::os::unix::fs::symlink("/", room.path().join("src")).unwrap();
    assert_eq!(
        room.unpack(&sdist().done(), Top::OneFolder, &Budget::default())
            .unwrap_err()
            .rule(),
        "io"
    );
}

#[test]
fn kinds_are_told_by_their_first_bytes() {
    let bytes = sdist().done();
    for (bytes, kind) in [
        (bytes.clone(), Some(Kind::Tar)),
        (gz(&bytes), Some(Kind::TarGz)),
        (bz2(&bytes), Some(Kind::TarBz2)),
        (xz(&bytes), Some(Kind::TarXz)),
        (b"PK\x03\x04".to_vec(), Some(Kind::Zip)),
        (b"<html>".to_vec(), None),
        (vec![b' '; 600], None),
    ] {
        assert_eq!(Kind::detect(&bytes[..bytes.len().min(512)]), kind);
    }
}
