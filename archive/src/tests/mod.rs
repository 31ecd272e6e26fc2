//! Archives made byte by byte, and what becomes of them. Here are the makers; the promises are in
//! the files beside.

mod honest;
mod honest_zip;
mod packing;
mod refused_tar;
mod refused_zip;

use std::fs::{self, File};
use std::io::{Seek, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use ::tar::{EntryType, Header};
use tempfile::TempDir;

use crate::{Budget, Refusal, Top, Unpacked, unpack};

/// Writes tars that no well-behaved library would.
#[derive(Clone, Default)]
pub(super) struct TarMaker {
    bytes: Vec<u8>,
}

impl TarMaker {
    pub(super) fn raw(mut self, header: &Header, content: &[u8]) -> Self {
        self.bytes.extend(header.as_bytes());
        self.bytes.extend(content);
        self.bytes.resize(self.bytes.len().next_multiple_of(512), 0);
        self
    }

    pub(super) fn member(self, kind: u8, name: &str, link: &str, content: &[u8]) -> Self {
        let header = header(kind, name.as_bytes(), link.as_bytes(), content.len() as u64);
        self.raw(&header, content)
    }

    pub(super) fn file(self, name: &str, content: &[u8]) -> Self {
        self.member(b'0', name, "", content)
    }

    pub(super) fn folder(self, name: &str) -> Self {
        self.member(b'5', name, "", b"")
    }

    pub(super) fn link(self, name: &str, target: &str) -> Self {
        self.member(b'2', name, target, b"")
    }

    pub(super) fn hard_link(self, name: &str, target: &str) -> Self {
        self.member(b'1', name, target, b"")
    }

    pub(super) fn pax(self, kind: u8, records: &[(&str, &str)]) -> Self {
        let mut bytes = Vec::new();
        for (key, value) in records {
            let body = format!(" {key}={value}\n");
            let length = (1..)
                .find(|length: &usize| *length == body.len() + length.to_string().len())
                .unwrap();
            bytes.extend(format!("{length}{body}").bytes());
        }
        self.member(kind, "PaxHeader", "", &bytes)
    }

    pub(super) fn unfinished(self) -> Vec<u8> {
        self.bytes
    }

    pub(super) fn done(mut self) -> Vec<u8> {
        self.bytes.extend([0; 1024]);
        self.bytes
    }
}

pub(super) fn header(kind: u8, name: &[u8], link: &[u8], size: u64) -> Header {
    let mut header = Header::new_ustar();
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.as_old_mut().linkname[..link.len()].copy_from_slice(link);
    header.set_entry_type(EntryType::new(kind));
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(1_000_000_000);
    header.set_size(size);
    header.set_cksum();
    header
}

pub(super) fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn file_of(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    file
}

/// A folder beside which nothing may appear.
pub(super) struct Room {
    outer: TempDir,
}

impl Room {
    pub(super) fn new() -> Self {
        let outer = TempDir::new().unwrap();
        fs::create_dir(outer.path().join("room")).unwrap();
        Self { outer }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.outer.path().join("room")
    }

    pub(super) fn unpack(
        &self,
        bytes: &[u8],
        top: Top,
        budget: &Budget,
    ) -> Result<Unpacked, Refusal> {
        let room = File::open(self.path()).unwrap();
        let result = unpack(&file_of(bytes), room.as_fd(), top, budget);
        let beside: Vec<_> = fs::read_dir(self.outer.path()).unwrap().collect();
        assert_eq!(beside.len(), 1, "something appeared beside the room");
        result
    }

    pub(super) fn listing(&self) -> Vec<String> {
        listing(&self.path())
    }

    pub(super) fn read(&self, path: &str) -> Vec<u8> {
        fs::read(self.path().join(path)).unwrap()
    }
}

/// Every path below a folder, sorted; folders end in a slash, links show where they point.
pub(super) fn listing(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path
                .strip_prefix(root)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            let kind = fs::symlink_metadata(&path).unwrap().file_type();
            if kind.is_dir() {
                found.push(format!("{name}/"));
                folders.push(path);
            } else if kind.is_symlink() {
                found.push(format!(
                    "{name} -> {}",
                    fs::read_link(&path).unwrap().display()
                ));
            } else {
                found.push(name);
            }
        }
    }
    found.sort();
    found
}

/// Unpacks and returns what was laid down.
pub(super) fn lays(bytes: &[u8], top: Top) -> (Room, Unpacked) {
    let room = Room::new();
    let unpacked = room.unpack(bytes, top, &Budget::default()).unwrap();
    (room, unpacked)
}

/// Returns the rule that refuses an archive whose headers are at fault; nothing is written then.
pub(super) fn rule(bytes: &[u8]) -> &'static str {
    rule_within(bytes, Top::Any, &Budget::default())
}

pub(super) fn rule_within(bytes: &[u8], top: Top, budget: &Budget) -> &'static str {
    let room = Room::new();
    let refusal = room.unpack(bytes, top, budget).unwrap_err();
    assert_eq!(
        room.listing(),
        [""; 0],
        "something was written before the refusal: {refusal}"
    );
    refusal.rule()
}
