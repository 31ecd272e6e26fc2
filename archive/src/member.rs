//! One member of an archive as the walkers hand it over, already judged by itself.
//!
//! Whether it goes together with the others is the plan's business.

use std::io::{self, Read};

use crate::Refusal;
use crate::guard::MemberPath;

/// The earliest time that is given to a file: 1980-01-02, because a zip (and so a wheel) can not
/// hold an earlier one than 1980-01-01 in whatever time zone is asked. Seconds since 1970.
pub(crate) const EARLIEST: i64 = 315_619_200;
/// The latest: 2107-12-30, for the same reason.
const LATEST: i64 = 4_354_732_800;

/// What a member is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Folder,
    File { size: u64, executable: bool },
    Symlink { target: String },
    HardLink { target: MemberPath },
}

/// One member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) path: MemberPath,
    pub(crate) what: What,
    /// Seconds since 1970, clamped.
    pub(crate) mtime: i64,
}

/// Is told of every member in the archive's order.
pub(crate) trait Visitor {
    /// Takes one member. `content` gives a file's bytes and may be left unread.
    fn member(&mut self, member: &Member, content: &mut dyn Read) -> Result<(), Refusal>;
}

/// Brings a time into the range that files may have.
pub(crate) fn clamp_time(seconds: i64) -> i64 {
    seconds.clamp(EARLIEST, LATEST)
}

/// Reads a member's bytes to their end, in pieces, and checks that there are `size` of them.
pub(crate) fn drain(
    content: &mut dyn Read,
    size: u64,
    mut piece: impl FnMut(&[u8]) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let mut buffer = [0; 32 << 10];
    let mut count = 0_u64;
    loop {
        match content.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => {
                count += read as u64;
                if count > size {
                    break;
                }
                piece(&buffer[..read])?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Refusal::of_reader(error)),
        }
    }
    if count != size {
        return Err(Refusal::damaged(
            "a member is shorter or longer than announced",
        ));
    }
    Ok(())
}
