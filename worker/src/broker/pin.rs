//! Pinning: the object that a call of the build means, held by a descriptor of the broker's own.
//!
//! `O_PATH` opens nothing and is not restricted by Landlock; what may be done to the object is
//! decided afterwards, on the descriptor, so that a swapped link or folder changes nothing.

use std::ffi::{CString, OsStr};
use std::fs::read_link;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use filter::{Request, read_memory};
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag, open, openat};
use nix::sys::stat::Mode;

use super::tracer::plain;

/// Bytes of a path at most (`PATH_MAX`).
const LONGEST_PATH: usize = 4096;

/// What a call names.
pub(super) enum Named {
    /// A descriptor.
    Descriptor(i32),
    /// A path: where it starts, where its bytes are, whether a last link is followed.
    Path {
        start: i32,
        pointer: u64,
        follow: bool,
    },
    /// A path, or the start itself where the path is empty (`AT_EMPTY_PATH`) or null.
    PathOrStart {
        start: i32,
        pointer: u64,
        follow: bool,
    },
}

/// Pins what `named` means to the caller.
pub(super) fn pin(request: &Request, named: &Named) -> Result<OwnedFd, Errno> {
    match *named {
        Named::Descriptor(number) => descriptor(request.pid, number),
        Named::Path {
            start,
            pointer,
            follow,
        } => {
            let path = read_path(request.pid, pointer)?;
            if path.is_empty() {
                Err(Errno::ENOENT)
            } else {
                by_path(request.pid, start, &path, follow)
            }
        }
        Named::PathOrStart {
            start,
            pointer,
            follow,
        } => {
            let path = if pointer == 0 {
                CString::default()
            } else {
                read_path(request.pid, pointer)?
            };
            if path.is_empty() {
                descriptor(request.pid, start)
            } else {
                by_path(request.pid, start, &path, follow)
            }
        }
    }
}

/// A path of a caller, copied once.
pub(super) struct Reference {
    start: i32,
    path: CString,
    follow: bool,
}

impl Reference {
    /// Copies a path out of the caller's memory.
    pub(super) fn read(pid: i32, start: i32, pointer: u64, follow: bool) -> Result<Self, Errno> {
        let path = read_path(pid, pointer)?;
        if path.is_empty() {
            return Err(Errno::ENOENT);
        }
        Ok(Self {
            start,
            path,
            follow,
        })
    }

    /// Pins what it means to the caller.
    pub(super) fn pin(&self, pid: i32) -> Result<OwnedFd, Errno> {
        by_path(pid, self.start, &self.path, self.follow)
    }

    /// Returns it absolute and plain, by its words alone: links in it are not followed.
    pub(super) fn spelled(&self, pid: i32) -> Option<PathBuf> {
        let written = Path::new(OsStr::from_bytes(self.path.as_bytes()));
        if written.is_absolute() {
            return Some(plain(written));
        }
        let start = read_link(own_link(&descriptor(pid, self.start).ok()?)).ok()?;
        start.is_absolute().then(|| plain(&start.join(written)))
    }
}

fn descriptor(pid: i32, number: i32) -> Result<OwnedFd, Errno> {
    let link = if number == libc::AT_FDCWD {
        format!("/proc/{pid}/cwd")
    } else {
        format!("/proc/{pid}/fd/{number}")
    };
    open(
        link.as_str(),
        OFlag::O_PATH | OFlag::O_CLOEXEC,
        Mode::empty(),
    )
    .map_err(|errno| match errno {
        Errno::ENOENT => Errno::EBADF,
        other => other,
    })
}

/// Pins the working folder of a process.
pub(super) fn cwd_of(pid: i32) -> Result<OwnedFd, Errno> {
    descriptor(pid, libc::AT_FDCWD)
}

fn by_path(pid: i32, start: i32, path: &CString, follow: bool) -> Result<OwnedFd, Errno> {
    let mut flags = OFlag::O_PATH | OFlag::O_CLOEXEC;
    if !follow {
        flags |= OFlag::O_NOFOLLOW;
    }
    if path.as_bytes().starts_with(b"/") {
        return openat(
            AT_FDCWD,
            as_caller(pid, path)?.as_c_str(),
            flags,
            Mode::empty(),
        );
    }
    openat(
        descriptor(pid, start)?,
        path.as_c_str(),
        flags,
        Mode::empty(),
    )
}

/// Has a path that speaks of the process that resolves it speak of the caller.
fn as_caller(pid: i32, path: &CString) -> Result<CString, Errno> {
    let own = [
        ("/proc/self/", format!("/proc/{pid}/")),
        ("/proc/thread-self/", format!("/proc/{pid}/")),
        ("/dev/fd/", format!("/proc/{pid}/fd/")),
    ];
    let found = own.iter().find_map(|(prefix, theirs)| {
        let rest = path.as_bytes().strip_prefix(prefix.as_bytes())?;
        Some([theirs.as_bytes(), rest].concat())
    });
    match found {
        Some(path) => CString::new(path).map_err(|_| Errno::EINVAL),
        None => Ok(path.clone()),
    }
}

/// Reads a NUL-terminated path out of the caller's memory, page by page.
fn read_path(pid: i32, pointer: u64) -> Result<CString, Errno> {
    let mut bytes = Vec::new();
    while bytes.len() < LONGEST_PATH {
        let address = pointer + bytes.len() as u64;
        let to_page_end = 4096 - usize::try_from(address % 4096).unwrap_or(0);
        let mut chunk = vec![0; to_page_end.min(LONGEST_PATH - bytes.len())];
        let got = read_memory(pid, address, &mut chunk).map_err(|_| Errno::EFAULT)?;
        match chunk[..got].iter().position(|byte| *byte == 0) {
            Some(end) => {
                bytes.extend_from_slice(&chunk[..end]);
                return CString::new(bytes).map_err(|_| Errno::EINVAL);
            }
            None if got == 0 => return Err(Errno::EFAULT),
            None => bytes.extend_from_slice(&chunk[..got]),
        }
    }
    Err(Errno::ENAMETOOLONG)
}

/// The kernel's own name for a pinned object, if it lies in or below one of `rooms`.
///
/// The name is sound for this question: the build can neither move a file of its rooms out nor a
/// foreign one in, nor link across (Landlock's `refer`), so an object named below a room is one.
pub(super) fn below(pinned: &OwnedFd, rooms: &[PathBuf]) -> Result<PathBuf, String> {
    let name = read_link(own_link(pinned)).map_err(|error| error.to_string())?;
    if rooms.iter().any(|room| name.starts_with(room)) {
        Ok(name)
    } else {
        Err(name.display().to_string())
    }
}

/// The path by which the broker reaches what it has pinned.
pub(super) fn own_link(pinned: &OwnedFd) -> PathBuf {
    Path::new("/proc/self/fd").join(pinned.as_raw_fd().to_string())
}
