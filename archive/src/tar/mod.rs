//! Walks a tar: headers are taken raw from the `tar` crate and judged here.
//!
//! Raw, because that crate lets the last of several headers win where they disagree; here a
//! member on which readers could disagree is refused. Decompression is in `decoder`.

mod extension;
mod header;
mod pax;

use std::io::{self, Read};

use ::tar::Archive;

use self::extension::About;
use crate::budget::Bounded;
use crate::member::Visitor;
use crate::{Budget, Refusal};

const BLOCK: u64 = 512;
/// Headers that describe other headers are not members, but each costs: so many for each member.
const HEADERS_PER_MEMBER: u64 = 4;

/// Tells `visitor` of every member in order.
pub(crate) fn walk(
    reader: Bounded<'_>,
    budget: &Budget,
    visitor: &mut dyn Visitor,
) -> Result<(), Refusal> {
    let mut archive = Archive::new(reader);
    let mut end = 0;
    let mut headers = 0_u64;
    let mut about = About::default();
    for entry in archive.entries().map_err(Refusal::of_reader)?.raw(true) {
        let mut entry = entry.map_err(Refusal::of_reader)?;
        headers += 1;
        if headers > budget.members.saturating_mul(HEADERS_PER_MEMBER) {
            return Err(Refusal::TooMany {
                cap: budget.members,
            });
        }
        let size = header::strict_size(entry.header())?;
        end = entry
            .raw_file_position()
            .saturating_add(size.next_multiple_of(BLOCK));
        let header = entry.header().clone();
        if about.take(&header, size, &mut entry)? {
            continue;
        }
        if let Some(member) = header::member(&header, size, std::mem::take(&mut about), budget)? {
            visitor.member(&member, &mut entry)?;
        }
    }
    if !about.is_empty() {
        return Err(Refusal::damaged(
            "the last header describes a member that does not follow",
        ));
    }
    finish(archive.into_inner(), end)
}

/// Checks what lies behind the last member: nothing at all, or zeros. A tar without its two zero
/// blocks is accepted at a member's boundary, as other readers do.
fn finish(mut rest: Bounded<'_>, end: u64) -> Result<(), Refusal> {
    if rest.produced() < end {
        return Err(Refusal::damaged("the last member is cut short"));
    }
    let mut buffer = [0; 16 << 10];
    loop {
        match rest.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) if buffer[..count].iter().any(|byte| *byte != 0) => {
                return Err(Refusal::Trailing { what: "tar" });
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Refusal::of_reader(error)),
        }
    }
}
