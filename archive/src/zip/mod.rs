//! Walks a zip whose parts agree: nothing is taken from one place that another contradicts.
//!
//! The records are read here instead of by the `zip` crate because what matters is what that crate
//! has no opinion on: gaps, overlaps, prefixes, and local headers that differ from the directory.

mod content;
mod directory;
mod end;
mod fields;
mod local;

use std::fs::File;
use std::io::Read;

use self::content::Content;
use self::directory::Record;
use self::local::Placed;
use crate::guard::{self, MemberPath, shown};
use crate::member::{Member, Visitor, What, clamp_time};
use crate::{Budget, Refusal};

/// The longest target of a link, as Linux has it.
const MAX_TARGET: u64 = 4095;

const TYPE: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;
const FOLDER: u32 = 0o040_000;
const SYMLINK: u32 = 0o120_000;

/// Checks that a zip's structure is sound: the end record, the central directory, every local
/// header and descriptor agree, tile the file without gap or overlap, and stay in the budget.
/// Nothing is decompressed. For wheels, before another reader opens them.
///
/// # Errors
/// The first rule that is broken.
pub fn check(archive: &File, budget: &Budget) -> Result<(), Refusal> {
    records(archive, budget).map(drop)
}

/// Tells `visitor` of every member in order.
pub(crate) fn walk(
    archive: &File,
    budget: &Budget,
    visitor: &mut dyn Visitor,
) -> Result<(), Refusal> {
    for (record, placed) in records(archive, budget)? {
        let mut content = Content::new(archive, &record, &placed);
        if let Some(member) = member(&record, &mut content, budget)? {
            visitor.member(&member, &mut content)?;
        }
    }
    Ok(())
}

fn records(archive: &File, budget: &Budget) -> Result<Vec<(Record, Placed)>, Refusal> {
    let length = archive.metadata().map_err(Refusal::reading)?.len();
    let end = end::find(archive, length)?;
    if end.entries > budget.members {
        return Err(Refusal::TooMany {
            cap: budget.members,
        });
    }
    let records = directory::read(archive, &end)?;
    let unpacked = records
        .iter()
        .fold(0_u64, |sum, record| sum.saturating_add(record.size));
    if unpacked > budget.bytes {
        return Err(Refusal::TooLarge { cap: budget.bytes });
    }
    budget.check_ratio(unpacked, length)?;
    local::place(archive, records, end.directory_start)
}

/// Judges one member; `None` is the root itself.
fn member(
    record: &Record,
    content: &mut Content<'_>,
    budget: &Budget,
) -> Result<Option<Member>, Refusal> {
    let raw = record.effective_name()?;
    let mode = record.unix_mode().unwrap_or(0);
    let is_folder = raw.ends_with(b"/") || mode & TYPE == FOLDER;
    if is_folder && record.size != 0 {
        return Err(record.mismatch("a folder with content"));
    }
    let Some(path) = MemberPath::parse(&raw, budget.depth)? else {
        return if is_folder {
            Ok(None)
        } else {
            Err(Refusal::Names {
                member: shown(&raw),
                why: "is the root's",
            })
        };
    };
    let what = match mode & TYPE {
        _ if is_folder => What::Folder,
        0 | REGULAR => What::File {
            size: record.size,
            executable: guard::is_executable(mode),
        },
        SYMLINK => {
            if record.size > MAX_TARGET {
                return Err(Refusal::Names {
                    member: path.to_string(),
                    why: "is a link to too long a name",
                });
            }
            let mut target = Vec::new();
            content
                .read_to_end(&mut target)
                .map_err(Refusal::of_reader)?;
            What::Symlink {
                target: guard::link_target(&path, &target)?,
            }
        }
        _ => {
            let what = "a device, a FIFO or a socket";
            return Err(Refusal::Special {
                member: path.to_string(),
                what,
            });
        }
    };
    Ok(Some(Member {
        path,
        what,
        mtime: clamp_time(record.modified()),
    }))
}
