//! What honest writers of zips make is laid down as they meant it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Write};
use std::os::unix::fs::MetadataExt;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{file_of, lays};
use crate::{Budget, Top, peek};

#[test]
fn zips_of_every_writer() {
    for (options, large) in [
        (SimpleFileOptions::default(), false),
        (
            SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored),
            false,
        ),
        (SimpleFileOptions::default().unix_permissions(0o755), true),
    ] {
        let mut seekable = ZipWriter::new(Cursor::new(Vec::new()));
        seekable.add_directory("p/", options).unwrap();
        seekable
            .start_file("p/x", options.large_file(large))
            .unwrap();
        seekable.write_all(b"content").unwrap();
        seekable
            .set_raw_comment(b"0123456789abcdef".to_vec().into_boxed_slice())
            .unwrap();
        let mut streamed = ZipWriter::new_stream(Vec::new());
        streamed
            .start_file("p/x", options.large_file(large))
            .unwrap();
        streamed.write_all(b"content").unwrap();
        for bytes in [
            seekable.finish().unwrap().into_inner(),
            streamed.finish().unwrap().into_inner(),
        ] {
            let (room, unpacked) = lays(&bytes, Top::OneFolder);
            assert_eq!(unpacked.top_folder.as_deref(), Some("p"));
            assert_eq!(
                (room.listing(), room.read("x")),
                (vec!["x".to_owned()], b"content".to_vec())
            );
            let mode = fs::metadata(room.path().join("x")).unwrap().mode() & 0o777;
            assert_eq!(mode, if large { 0o755 } else { 0o644 });
        }
    }
}

#[test]
fn links_in_zips_and_names_in_utf8() {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    writer.start_file("p/na\u{ef}ve", options).unwrap();
    writer.write_all(b"x").unwrap();
    writer.add_symlink("p/link", "na\u{ef}ve", options).unwrap();
    let (room, _) = lays(&writer.finish().unwrap().into_inner(), Top::OneFolder);
    assert_eq!(room.read("link"), b"x");
}

#[test]
fn a_zip_of_more_members_than_16_bits_count() {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for at in 0..65_600 {
        writer
            .start_file(format!("p/{at}"), SimpleFileOptions::default())
            .unwrap();
    }
    let bytes = writer.finish().unwrap().into_inner();
    crate::check_zip(&file_of(&bytes), &Budget::default()).unwrap();
    let found = peek(
        &file_of(&bytes),
        &["65599", "65600"],
        Top::OneFolder,
        &Budget::default(),
    )
    .unwrap();
    assert_eq!(found, BTreeMap::from([("65599".to_owned(), Vec::new())]));
}

#[test]
fn dos_times_are_read() {
    let time = zip::DateTime::from_date_and_time(2024, 2, 29, 13, 14, 16).unwrap();
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer
        .start_file("p/x", SimpleFileOptions::default().last_modified_time(time))
        .unwrap();
    let (room, _) = lays(&writer.finish().unwrap().into_inner(), Top::OneFolder);
    assert_eq!(
        fs::metadata(room.path().join("x")).unwrap().mtime(),
        1_709_212_456
    );
}
