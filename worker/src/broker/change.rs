//! Changes of metadata as values, read out of a call's registers and memory.

use filter::{Call, Request, read_memory};
use nix::errno::Errno;

use super::pin::Named;

/// Bytes of an extended attribute's name and value at most (`XATTR_NAME_MAX`, `XATTR_SIZE_MAX`).
const LONGEST_NAME: usize = 255;
const LARGEST_VALUE: usize = 65_536;

/// One change.
pub(super) enum Change {
    /// Permission bits.
    Mode(u32),
    /// Owner and group; `u32::MAX` leaves one as it is.
    Owner(u32, u32),
    /// Access and modification time as `timespec` pairs; now where `None`.
    Times(Option<[(i64, i64); 2]>),
    /// Sets an extended attribute.
    SetAttribute {
        name: Vec<u8>,
        value: Vec<u8>,
        flags: i32,
    },
    /// Removes an extended attribute.
    RemoveAttribute { name: Vec<u8> },
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the kernel reads these registers as int"
)]
fn int(register: u64) -> i32 {
    register as i32
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the kernel reads these registers as unsigned int"
)]
fn word(register: u64) -> u32 {
    register as u32
}

/// Reads what `request` wants changed, and of what.
pub(super) fn understand(request: &Request) -> Result<(Named, Change), Errno> {
    let a = &request.arguments;
    let path = |pointer, follow| Named::Path {
        start: libc::AT_FDCWD,
        pointer,
        follow,
    };
    let at = |flags: u64| {
        let follow = int(flags) & libc::AT_SYMLINK_NOFOLLOW == 0;
        if int(flags) & libc::AT_EMPTY_PATH == 0 {
            Named::Path {
                start: int(a[0]),
                pointer: a[1],
                follow,
            }
        } else {
            Named::PathOrStart {
                start: int(a[0]),
                pointer: a[1],
                follow,
            }
        }
    };
    Ok(match request.call {
        Call::Chmod => (path(a[0], true), Change::Mode(word(a[1]))),
        Call::Fchmod => (Named::Descriptor(int(a[0])), Change::Mode(word(a[1]))),
        Call::Fchmodat => (at(0), Change::Mode(word(a[2]))),
        Call::Fchmodat2 => (at(a[3]), Change::Mode(word(a[2]))),
        Call::Chown => (path(a[0], true), Change::Owner(word(a[1]), word(a[2]))),
        Call::Lchown => (path(a[0], false), Change::Owner(word(a[1]), word(a[2]))),
        Call::Fchown => (
            Named::Descriptor(int(a[0])),
            Change::Owner(word(a[1]), word(a[2])),
        ),
        Call::Fchownat => (at(a[4]), Change::Owner(word(a[2]), word(a[3]))),
        Call::Utime => (
            path(a[0], true),
            Change::Times(times(request.pid, a[1], Unit::Seconds)?),
        ),
        Call::Utimes => (
            path(a[0], true),
            Change::Times(times(request.pid, a[1], Unit::Micro)?),
        ),
        Call::Futimesat => {
            let named = Named::PathOrStart {
                start: int(a[0]),
                pointer: a[1],
                follow: true,
            };
            (named, Change::Times(times(request.pid, a[2], Unit::Micro)?))
        }
        Call::Utimensat => {
            let named = if a[1] == 0 {
                Named::Descriptor(int(a[0]))
            } else {
                at(a[3])
            };
            (named, Change::Times(times(request.pid, a[2], Unit::Nano)?))
        }
        Call::Setxattr => (path(a[0], true), set_attribute(request, 1)?),
        Call::Lsetxattr => (path(a[0], false), set_attribute(request, 1)?),
        Call::Fsetxattr => (Named::Descriptor(int(a[0])), set_attribute(request, 1)?),
        Call::Removexattr => (path(a[0], true), remove_attribute(request)?),
        Call::Lremovexattr => (path(a[0], false), remove_attribute(request)?),
        Call::Fremovexattr => (Named::Descriptor(int(a[0])), remove_attribute(request)?),
        // Newer twins whose arguments lie in memory; callers fall back to the calls above.
        _ => return Err(Errno::ENOSYS),
    })
}

/// How times are written in memory.
enum Unit {
    /// Two `time_t` (`utimbuf`).
    Seconds,
    /// Two `timeval`.
    Micro,
    /// Two `timespec`.
    Nano,
}

fn times(pid: i32, pointer: u64, unit: Unit) -> Result<Option<[(i64, i64); 2]>, Errno> {
    if pointer == 0 {
        return Ok(None);
    }
    let mut bytes = [0; 32];
    let wanted = if matches!(unit, Unit::Seconds) {
        16
    } else {
        32
    };
    let got = read_memory(pid, pointer, &mut bytes[..wanted]).map_err(|_| Errno::EFAULT)?;
    if got < wanted {
        return Err(Errno::EFAULT);
    }
    let field = |index: usize| {
        let mut eight = [0; 8];
        eight.copy_from_slice(&bytes[index * 8..index * 8 + 8]);
        i64::from_ne_bytes(eight)
    };
    Ok(Some(match unit {
        Unit::Seconds => [(field(0), 0), (field(1), 0)],
        Unit::Micro => {
            let nano = |micro: i64| micro.checked_mul(1000).ok_or(Errno::EINVAL);
            [(field(0), nano(field(1))?), (field(2), nano(field(3))?)]
        }
        Unit::Nano => [(field(0), field(1)), (field(2), field(3))],
    }))
}

fn set_attribute(request: &Request, first: usize) -> Result<Change, Errno> {
    let a = &request.arguments;
    let size = usize::try_from(a[first + 2]).map_err(|_| Errno::E2BIG)?;
    if size > LARGEST_VALUE {
        return Err(Errno::E2BIG);
    }
    let mut value = vec![0; size];
    if size > 0 && read_memory(request.pid, a[first + 1], &mut value).ok() != Some(size) {
        return Err(Errno::EFAULT);
    }
    Ok(Change::SetAttribute {
        name: name(request.pid, a[first])?,
        value,
        flags: int(a[first + 3]),
    })
}

fn remove_attribute(request: &Request) -> Result<Change, Errno> {
    Ok(Change::RemoveAttribute {
        name: name(request.pid, request.arguments[1])?,
    })
}

fn name(pid: i32, pointer: u64) -> Result<Vec<u8>, Errno> {
    let mut bytes = [0; LONGEST_NAME + 1];
    let to_page_end = 4096 - usize::try_from(pointer % 4096).unwrap_or(0);
    let first = to_page_end.min(bytes.len());
    let mut got = read_memory(pid, pointer, &mut bytes[..first]).map_err(|_| Errno::EFAULT)?;
    if got == first && first < bytes.len() && !bytes[..got].contains(&0) {
        got +=
            read_memory(pid, pointer + got as u64, &mut bytes[got..]).map_err(|_| Errno::EFAULT)?;
    }
    match bytes[..got].iter().position(|byte| *byte == 0) {
        Some(end) => Ok(bytes[..end].to_vec()),
        None => Err(Errno::ERANGE),
    }
}
