//! From a raw tar header and what was said before it to a judged member.

use std::borrow::Cow;

use ::tar::Header;

use super::extension::About;
use crate::guard::{self, MemberPath, shown};
use crate::member::{Member, What, clamp_time};
use crate::{Budget, Refusal};

/// Reads the size field without the freedoms that readers take with it: the `tar` crate ignores
/// the upper bytes of a binary number, others read them or a sign.
pub(super) fn strict_size(header: &Header) -> Result<u64, Refusal> {
    let field = &header.as_old().size;
    if field[0] & 0x80 != 0 && (field[0] != 0x80 || field[1..4].iter().any(|byte| *byte != 0)) {
        return Err(confused(header, "has a size that does not fit"));
    }
    header.entry_size().map_err(Refusal::of_reader)
}

/// Judges one member; `None` is the root itself, `./`.
pub(super) fn member(
    header: &Header,
    size: u64,
    about: About,
    budget: &Budget,
) -> Result<Option<Member>, Refusal> {
    let kind = header.entry_type().as_byte();
    let pax = about.pax.unwrap_or_default();
    let raw = one_name(header, header.path_bytes(), about.long_name, pax.path)?;
    if kind == b'S' || pax.sparse {
        return Err(Refusal::Sparse {
            member: shown(&raw),
            what: "a sparse file",
        });
    }
    if kind == b'M' {
        return Err(Refusal::Sparse {
            member: shown(&raw),
            what: "a part of a multi-volume archive",
        });
    }
    if pax.size.is_some_and(|said| said != size) {
        return Err(confused(
            header,
            "has two sizes, one in its header and one in a PAX record",
        ));
    }
    let path = MemberPath::parse(&raw, budget.depth)?;
    let is_folder = kind == b'5' || matches!(kind, b'0' | 0) && raw.ends_with(b"/");
    let is_file = matches!(kind, b'0' | 0 | b'7') && !is_folder;
    if !is_file && size != 0 {
        // Readers differ on whether data follows: some skip it, some read it as headers.
        return Err(confused(header, "is no file and yet has a size"));
    }
    let Some(path) = path else {
        return if is_folder {
            Ok(None)
        } else {
            Err(Refusal::Names {
                member: shown(&raw),
                why: "is the root's",
            })
        };
    };
    let link = |said| {
        let stored = header.link_name_bytes().unwrap_or(Cow::Borrowed(b""));
        one_name(header, stored, about.long_link, said)
    };
    let what = match kind {
        _ if is_folder => What::Folder,
        _ if is_file => {
            let executable = header.mode().is_ok_and(guard::is_executable);
            What::File { size, executable }
        }
        b'2' => What::Symlink {
            target: guard::link_target(&path, &link(pax.linkpath)?)?,
        },
        b'1' => What::HardLink {
            target: hard_link(&path, &link(pax.linkpath)?, budget)?,
        },
        kind => {
            return Err(Refusal::Special {
                member: path.to_string(),
                what: special(kind),
            });
        }
    };
    let stored = || {
        header
            .mtime()
            .ok()
            .and_then(|seconds| i64::try_from(seconds).ok())
    };
    let mtime = clamp_time(pax.mtime.or_else(stored).unwrap_or(0));
    Ok(Some(Member { path, what, mtime }))
}

/// A hard link's target is a member's name; one that breaks the rules of names leads out.
fn hard_link(path: &MemberPath, raw: &[u8], budget: &Budget) -> Result<MemberPath, Refusal> {
    MemberPath::parse(raw, budget.depth)
        .ok()
        .flatten()
        .ok_or_else(|| Refusal::HardLink {
            member: path.to_string(),
            target: shown(raw),
        })
}

/// Chooses among a header's own name, GNU's long one and PAX's; the latter two must agree.
fn one_name<'a>(
    header: &Header,
    stored: Cow<'a, [u8]>,
    long: Option<Vec<u8>>,
    pax: Option<Vec<u8>>,
) -> Result<Cow<'a, [u8]>, Refusal> {
    match (long, pax) {
        (Some(long), Some(pax)) if long != pax => Err(confused(header, "has two long names")),
        (Some(name), _) | (None, Some(name)) => Ok(Cow::Owned(name)),
        (None, None) => Ok(stored),
    }
}

fn special(kind: u8) -> &'static str {
    match kind {
        b'3' => "a character device",
        b'4' => "a block device",
        b'6' => "a FIFO",
        _ => "of a type that sources do not have",
    }
}

fn confused(header: &Header, why: &'static str) -> Refusal {
    Refusal::SizeConfusion {
        member: shown(&header.path_bytes()),
        why,
    }
}
