//! Each rule refuses a zip that breaks it; most zips here are good ones with a few bytes changed.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::{Room, file_of, rule, rule_within};
use crate::{Budget, Top, check_zip};

const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";

fn stored() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(CompressionMethod::Stored)
}

fn zip(members: &[(&str, &[u8])], options: SimpleFileOptions) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        writer.start_file(*name, options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn good() -> Vec<u8> {
    zip(&[("p/aaaa", b"first"), ("p/bbbb", b"second")], stored())
}

/// Finds the `count`th record that starts with `signature`.
fn record(bytes: &[u8], signature: &[u8], count: usize) -> usize {
    bytes
        .windows(4)
        .enumerate()
        .filter(|(_, at)| *at == signature)
        .nth(count)
        .unwrap()
        .0
}

/// Changes bytes at an offset inside a record.
fn patched(bytes: &[u8], signature: &[u8], offset: usize, new: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let at = record(&bytes, signature, 0) + offset;
    bytes[at..at + new.len()].copy_from_slice(new);
    bytes
}

/// Replaces a text of the same length everywhere, names in both places included.
fn renamed(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = bytes.to_vec();
    while let Some(at) = bytes
        .windows(from.len())
        .position(|window| window == from.as_bytes())
    {
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    bytes
}

#[test]
fn the_unchanged_zip_passes() {
    super::lays(&good(), Top::OneFolder);
    check_zip(&file_of(&good()), &Budget::default()).unwrap();
}

#[test]
fn names() {
    assert_eq!(rule(&renamed(&good(), "p/aaaa", "../aaa")), "traversal");
    assert_eq!(rule(&renamed(&good(), "p/aaaa", "/aaaaa")), "absolute");
    assert_eq!(rule(&renamed(&good(), "p/aaaa", "c:\\aaa")), "absolute");
    assert_eq!(rule(&renamed(&good(), "p/aaaa", "p/a\naa")), "names");
    assert_eq!(rule(&renamed(&good(), "p/aaaa", "p/bbbb")), "duplicate");
    let mut invalid = good();
    for signature in [LOCAL, CENTRAL] {
        let at = record(&invalid, signature, 0) + if signature == LOCAL { 30 } else { 46 };
        invalid[at + 2] = 0xff;
    }
    assert_eq!(rule(&invalid), "names");
}

#[test]
fn a_local_header_that_differs_from_the_directory() {
    for (offset, new) in [
        (4 + 2, &[1_u8, 0][..]), // flags
        (8, &[8, 0]),            // method
        (14, &[1, 2, 3, 4]),     // checksum
        (18, &[1, 0, 0, 0]),     // packed size
        (22, &[1, 0, 0, 0]),     // size
        (30, b"q"),              // name
    ] {
        assert_eq!(
            rule(&patched(&good(), LOCAL, offset, new)),
            "zip-mismatch",
            "{offset}"
        );
    }
}

#[test]
fn a_directory_that_points_at_no_local_header() {
    let mut bytes = good();
    let second = record(&bytes, LOCAL, 1);
    bytes[second] = b'X';
    assert_eq!(rule(&bytes), "zip-mismatch");
}

#[test]
fn a_directory_that_lies() {
    assert_eq!(rule(&patched(&good(), CENTRAL, 8, &[1, 0])), "zip-mismatch"); // encrypted
    assert_eq!(
        rule(&patched(&good(), CENTRAL, 20, &[9, 0, 0, 0])),
        "zip-mismatch"
    ); // packed size
    assert_eq!(
        rule(&patched(&good(), CENTRAL, 34, &[1, 0])),
        "zip-mismatch"
    ); // disk
    assert_eq!(
        rule(&patched(&good(), CENTRAL, 42, &[1, 0, 0, 0])),
        "zip-mismatch"
    ); // offset
    assert_eq!(
        rule(&patched(&good(), CENTRAL, 10, &[12, 0])),
        "compression"
    ); // method bzip2
    assert_eq!(rule(&patched(&good(), CENTRAL, 0, b"XX")), "compression");
}

#[test]
fn two_members_in_the_same_bytes() {
    let mut bytes = good();
    let second = record(&bytes, CENTRAL, 1) + 42;
    bytes[second..second + 4].copy_from_slice(&[0; 4]);
    assert_eq!(rule(&bytes), "zip-mismatch");
}

#[test]
fn an_end_record_that_lies() {
    assert_eq!(rule(&patched(&good(), END, 10, &[1, 0])), "zip-mismatch"); // entries
    assert_eq!(
        rule(&patched(&good(), END, 8, &[1, 0, 1, 0])),
        "zip-mismatch"
    ); // both counts
    assert_eq!(rule(&patched(&good(), END, 4, &[1, 0])), "zip-mismatch"); // disk
    assert_eq!(
        rule(&patched(&good(), END, 16, &[0, 0, 0, 0])),
        "zip-mismatch"
    ); // directory start
    let cut = good();
    assert_eq!(rule(&cut[..cut.len() - 30]), "compression");
}

#[test]
fn data_that_belongs_to_nothing() {
    let bytes = good();
    assert_eq!(rule(&[&bytes[..], b"more"].concat()), "trailing");
    let directory = record(&bytes, CENTRAL, 0);
    let gap = [&bytes[..directory], b"gap!", &bytes[directory..]].concat();
    let start = u32::try_from(directory + 4).unwrap().to_le_bytes();
    assert_eq!(rule(&patched(&gap, END, 16, &start)), "zip-mismatch");
    // A self-extracting archive is not a source.
    let prefixed = [b"PK\x03\x04 not a header", &bytes[..]].concat();
    assert_eq!(rule(&prefixed), "zip-mismatch");
}

#[test]
fn a_second_end_record_in_the_comment() {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("p/x", stored()).unwrap();
    writer
        .set_raw_comment(b"--PK\x05\x06--".to_vec().into_boxed_slice())
        .unwrap();
    assert_eq!(rule(&writer.finish().unwrap().into_inner()), "zip-mismatch");
}

/// What only shows in the data is refused while it is written.
fn late_rule(bytes: &[u8]) -> &'static str {
    Room::new()
        .unpack(bytes, Top::Any, &Budget::default())
        .unwrap_err()
        .rule()
}

#[test]
fn content_that_is_not_what_was_announced() {
    assert_eq!(
        late_rule(&renamed(&good(), "first", "other")),
        "zip-mismatch"
    );
    let deflated = zip(&[("p/aaaa", &[b'x'; 5000])], SimpleFileOptions::default());
    let short = [&4000_u32.to_le_bytes()[..]].concat();
    let lies = patched(&patched(&deflated, LOCAL, 22, &short), CENTRAL, 24, &short);
    assert_eq!(late_rule(&lies), "zip-mismatch");
    let data = record(&deflated, LOCAL, 0) + 30 + 6;
    let mut broken = deflated;
    broken[data] = 0xff;
    assert_eq!(late_rule(&broken), "compression");
}

#[test]
fn links_and_devices() {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer
        .add_symlink("p/a", "../../etc/passwd", stored())
        .unwrap();
    assert_eq!(rule(&writer.finish().unwrap().into_inner()), "link-out");
    let device = (0o020_666_u32 << 16).to_le_bytes();
    assert_eq!(rule(&patched(&good(), CENTRAL, 38, &device)), "device");
}

#[test]
fn bombs() {
    let small = Budget {
        members: 2,
        bytes: 100,
        ..Budget::default()
    };
    let many = zip(&[("a", b""), ("b", b""), ("c", b"")], stored());
    assert_eq!(rule_within(&many, Top::Any, &small), "bomb");
    let large = zip(&[("a", &[1; 101])], SimpleFileOptions::default());
    assert_eq!(rule_within(&large, Top::Any, &small), "bomb");
    let ratio = Budget {
        ratio: 100,
        ..Budget::default()
    };
    let zeros = zip(&[("a", &vec![0; 34 << 20])], SimpleFileOptions::default());
    assert_eq!(rule_within(&zeros, Top::Any, &ratio), "bomb");
}

#[test]
fn nothing_or_too_much_at_the_top() {
    assert_eq!(rule(&zip(&[], stored())), "empty");
    let two = zip(&[("p/x", b""), ("q/x", b"")], stored());
    assert_eq!(rule_within(&two, Top::OneFolder, &Budget::default()), "top");
}
