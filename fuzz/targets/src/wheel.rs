//! The texts of a wheel's `.dist-info`: METADATA, RECORD, WHEEL, entry_points.txt.

use std::fs::File;
use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use builder::{Expected, inspect};
use rustix::fs::MemfdFlags;
use sha2::Digest as _;
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

const FOLDER: &str = "foo-1.0.dist-info";
const METADATA: &[u8] = b"Metadata-Version: 2.1\nName: foo\nVersion: 1.0\n";
const WHEEL: &[u8] = b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n";

/// The first byte says of which file the rest is; RECORD gets honest lines in front.
pub(crate) fn dist_info(bytes: &[u8]) {
    let Some((which, text)) = bytes.split_first() else {
        return;
    };
    let mut files = vec![("METADATA", METADATA), ("WHEEL", WHEEL)];
    let mut more: &[u8] = b"";
    match which {
        b'M' => files[0].1 = text,
        b'W' => files[1].1 = text,
        b'E' => files.push(("entry_points.txt", text)),
        b'R' => more = text,
        _ => return,
    }
    let expected = Expected {
        name: None,
        version: None,
        tags: None,
        strict: false,
        token: None,
    };
    match inspect(&wheel(&files, more), "foo-1.0-py3-none-any.whl", &expected) {
        Ok(inspected) => {
            assert_eq!(inspected.metadata.name.as_ref(), "foo");
            inspected.notes.iter().for_each(|note| printable(note));
        }
        Err(error) => printable(&error.to_string()),
    }
}

fn printable(text: &str) {
    assert!(!text.chars().any(char::is_control), "{text:?}");
}

/// Packs a wheel in memory.
fn wheel(files: &[(&str, &[u8])], more: &[u8]) -> File {
    let descriptor = rustix::fs::memfd_create("wheel", MemfdFlags::CLOEXEC);
    let file = File::from(descriptor.expect("a file in memory can be made"));
    let mut zip = zip::ZipWriter::new(file);
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut record = Vec::new();
    for (name, text) in files {
        let digest = URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(text));
        let line = format!("{FOLDER}/{name},sha256={digest},{}\n", text.len());
        record.extend_from_slice(line.as_bytes());
        zip.start_file(format!("{FOLDER}/{name}"), options)
            .expect("a member can be begun");
        zip.write_all(text).expect("a member can be written");
    }
    record.extend_from_slice(more);
    zip.start_file(format!("{FOLDER}/RECORD"), options)
        .expect("a member can be begun");
    zip.write_all(&record).expect("a member can be written");
    zip.finish().expect("a zip can be ended")
}
