//! Archives with one fault each, made member by member because no honest writer makes them.

use std::io::Write;

use crate::sdist::{Sdist, gzip};

/// Zeros enough that an archive of them counts as a bomb.
const BOMB: usize = 160 << 20;

/// What is wrong with an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// A member named `../`.
    Traversal,
    /// A member with an absolute name.
    Absolute,
    /// A symbolic link that leads out, upwards.
    LinkUp,
    /// A symbolic link to an absolute path.
    LinkAbsolute,
    /// A member that is written through an earlier link.
    ThroughLink,
    /// A hard link to a file outside.
    HardLinkOut,
    /// A member that is written through an earlier hard link to a file outside.
    ThroughHardLink,
    /// A character device.
    Device,
    /// A named pipe.
    Pipe,
    /// A file with a set-user-id bit: it is taken without the bit.
    SetId,
    /// A file of holes.
    Sparse,
    /// A few bytes that become very many.
    Bomb,
    /// A stream that ends too early.
    Truncated,
    /// A stream with wrong bytes in it.
    Corrupt,
    /// Not one byte.
    Nothing,
    /// Bytes that are no archive.
    NoArchive,
    /// The same name twice.
    Twice,
    /// A file where a folder was.
    FileOverFolder,
    /// A name with a newline.
    Newline,
    /// A zip member named `../`.
    ZipTraversal,
    /// A zip member with an absolute name.
    ZipAbsolute,
    /// A symbolic link in a zip that leads out.
    ZipLink,
    /// A zip whose directory and members disagree about a name.
    ZipMismatch,
    /// A zip that becomes very large.
    ZipBomb,
}

impl Flaw {
    /// Every flaw for which an archive is refused.
    pub const ALL: [Self; 23] = [
        Self::Traversal,
        Self::Absolute,
        Self::LinkUp,
        Self::LinkAbsolute,
        Self::ThroughLink,
        Self::HardLinkOut,
        Self::ThroughHardLink,
        Self::Device,
        Self::Pipe,
        Self::Sparse,
        Self::Bomb,
        Self::Truncated,
        Self::Corrupt,
        Self::Nothing,
        Self::NoArchive,
        Self::Twice,
        Self::FileOverFolder,
        Self::Newline,
        Self::ZipTraversal,
        Self::ZipAbsolute,
        Self::ZipLink,
        Self::ZipMismatch,
        Self::ZipBomb,
    ];

    /// Returns the extension that the archive's name has.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::ZipTraversal
            | Self::ZipAbsolute
            | Self::ZipLink
            | Self::ZipMismatch
            | Self::ZipBomb => "zip",
            _ => "tar.gz",
        }
    }

    /// Makes the archive: an honest sdist with the flaw in it. `outside` is an existing file that nothing may touch.
    #[must_use]
    pub fn spoil(self, sdist: &Sdist, outside: &str) -> Vec<u8> {
        let top = format!("{}-{}", sdist.name().replace('-', "_"), sdist.version());
        let inside = |name: &str| format!("{top}/{name}");
        let tar = |members: Vec<Vec<u8>>| gzip(&append(&sdist.tar(), &members.concat()));
        match self {
            Self::Traversal => tar(vec![file(&inside("../../escaped"), b"x")]),
            Self::Absolute => tar(vec![file(outside, b"changed")]),
            Self::LinkUp => tar(vec![link(b'2', &inside("up"), "../../../escaped")]),
            Self::LinkAbsolute => tar(vec![link(b'2', &inside("absolute"), outside)]),
            Self::ThroughLink => {
                let folder = outside.rsplit_once('/').map_or("/", |(folder, _)| folder);
                tar(vec![
                    link(b'2', &inside("way"), folder),
                    file(&inside("way/escaped"), b"x"),
                ])
            }
            Self::HardLinkOut => tar(vec![link(b'1', &inside("hard"), outside)]),
            Self::ThroughHardLink => tar(vec![
                link(b'1', &inside("hard"), outside),
                file(&inside("hard"), b"changed"),
            ]),
            Self::Device => tar(vec![link(b'3', &inside("device"), "")]),
            Self::Pipe => tar(vec![link(b'6', &inside("pipe"), "")]),
            Self::SetId => tar(vec![set_id(&inside("tool"), b"#!/bin/sh\n")]),
            Self::Sparse => tar(vec![sparse(&inside("holes"))]),
            Self::Bomb => densest(&append(
                &sdist.tar(),
                &file(&inside("zeros"), &vec![0; BOMB]),
            )),
            Self::Truncated => {
                let whole = sdist.tar_gz();
                whole[..whole.len() / 2].to_vec()
            }
            Self::Corrupt => {
                let mut bytes = sdist.tar_gz();
                let middle = bytes.len() / 2;
                bytes[middle..middle + 32].fill(0xff);
                bytes
            }
            Self::Nothing => Vec::new(),
            Self::NoArchive => b"this is not the archive that you are looking for\n".repeat(40),
            Self::Twice => tar(vec![
                file(&inside("same"), b"1"),
                file(&inside("same"), b"2"),
            ]),
            Self::FileOverFolder => tar(vec![
                file(&inside("thing/inner"), b"1"),
                file(&inside("thing"), b"2"),
            ]),
            Self::Newline => tar(vec![file(&inside("new\nline"), b"x")]),
            Self::ZipTraversal => zip_with(sdist, &inside("../../escaped"), None),
            Self::ZipAbsolute => zip_with(sdist, outside, None),
            Self::ZipLink => zip_with(sdist, &inside("link"), Some(outside)),
            Self::ZipMismatch => mismatched(sdist, &inside("agreed")),
            Self::ZipBomb => zip_bomb(sdist, &inside("zeros")),
        }
    }
}

/// Compresses as far as the format goes: about 1030 to 1 for zeros.
fn densest(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(content).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

/// Puts members in front of the two empty blocks that end a tar.
fn append(tar: &[u8], members: &[u8]) -> Vec<u8> {
    let end = tar.len() - 1024;
    [&tar[..end], members, &tar[end..]].concat()
}

/// One tar member of any name, unchecked.
fn member(kind: u8, name: &str, target: &str, content: &[u8]) -> Vec<u8> {
    member_of_mode(0o644, kind, name, target, content)
}

fn member_of_mode(mode: u32, kind: u8, name: &str, target: &str, content: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.set_size(content.len() as u64);
    header.set_mode(mode);
    let fields = header.as_old_mut();
    fields.name[..name.len()].copy_from_slice(name.as_bytes());
    fields.linkname[..target.len()].copy_from_slice(target.as_bytes());
    fields.linkflag = [kind];
    header.set_cksum();
    let padding = vec![0; content.len().next_multiple_of(512) - content.len()];
    [header.as_bytes().as_slice(), content, &padding].concat()
}

fn file(name: &str, content: &[u8]) -> Vec<u8> {
    member(b'0', name, "", content)
}

fn set_id(name: &str, content: &[u8]) -> Vec<u8> {
    member_of_mode(0o4755, b'0', name, "", content)
}

/// A mebibyte of which one block is written down, in the way of old GNU tar.
fn sparse(name: &str) -> Vec<u8> {
    const BLOCK: [u8; 512] = [b'x'; 512];
    let mut header = tar::Header::new_gnu();
    header.set_path(name).expect("a short name");
    header.set_size(BLOCK.len() as u64);
    header.set_mode(0o644);
    header.set_entry_type(tar::EntryType::GNUSparse);
    let fields = header.as_gnu_mut().expect("it was made as one");
    fields.sparse[0].offset.copy_from_slice(b"00000000000\0");
    fields.sparse[0].numbytes.copy_from_slice(b"00000001000\0");
    fields.realsize.copy_from_slice(b"00004000000\0");
    header.set_cksum();
    [header.as_bytes().as_slice(), &BLOCK].concat()
}

fn link(kind: u8, name: &str, target: &str) -> Vec<u8> {
    member(kind, name, target, b"")
}

/// The honest zip and one member more.
fn zip_with(sdist: &Sdist, name: &str, target: Option<&str>) -> Vec<u8> {
    let mut writer = reopened(sdist);
    let options = zip::write::SimpleFileOptions::default();
    match target {
        Some(target) => writer
            .add_symlink(name, target, options)
            .expect("memory takes all"),
        None => {
            writer.start_file(name, options).expect("memory takes all");
            writer.write_all(b"changed").expect("memory takes all");
        }
    }
    writer.finish().expect("memory takes all").into_inner()
}

fn reopened(sdist: &Sdist) -> zip::ZipWriter<std::io::Cursor<Vec<u8>>> {
    zip::ZipWriter::new_append(std::io::Cursor::new(sdist.zip())).expect("an own zip can be opened")
}

fn zip_bomb(sdist: &Sdist, name: &str) -> Vec<u8> {
    let mut writer = reopened(sdist);
    let options = zip::write::SimpleFileOptions::default().compression_level(Some(9));
    writer.start_file(name, options).expect("memory takes all");
    writer.write_all(&vec![0; BOMB]).expect("memory takes all");
    writer.finish().expect("memory takes all").into_inner()
}

/// The name in front of the member differs from the one in the directory at the end.
fn mismatched(sdist: &Sdist, name: &str) -> Vec<u8> {
    let mut bytes = zip_with(sdist, name, None);
    let first = bytes
        .windows(name.len())
        .position(|part| part == name.as_bytes());
    let first = first.expect("the member's name stands in front of it");
    bytes[first + name.len() - 1] = b'D';
    bytes
}
