//! Leases: the locked file in a folder that says that its maker lives.
//!
//! The file is ours, holds a small record with our marker, and is locked by the process that
//! made it for as long as that process needs the folder. A sweep removes a folder only after it
//! got the lock itself.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::fs::{FlockOperation, Mode, OFlags, flock, openat};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::CacheError;

/// The lease's name in its folder.
pub(crate) const NAME: &std::ffi::CStr = c"lease";
const MARKER: &str = "fumehood lease 1";
/// No lease of ours is longer; longer ones are not read.
const LONGEST: u64 = 4096;

/// What a lease says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    marker: String,
    /// The scratch's name; a copy of a scratch under another name is not ours to remove.
    name: String,
    pid: u32,
    /// Seconds since 1970.
    started: u64,
    /// Kept for somebody to look at: not swept.
    kept: bool,
}

impl Record {
    /// Whether this leases the scratch `name`.
    pub(crate) fn is_for(&self, name: &str) -> bool {
        self.name == name
    }

    /// Whether somebody wants it kept.
    pub(crate) fn is_kept(&self) -> bool {
        self.kept
    }
}

/// Whether a folder has a lease that looks like one of ours; says nothing about who holds it.
pub(crate) fn lies_in(folder: &Path) -> bool {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let path = folder.join(std::ffi::OsStr::from_bytes(NAME.to_bytes()));
    let Ok(file) = rustix::fs::open(&path, flags, Mode::empty()).map(File::from) else {
        return false;
    };
    let caller = rustix::process::geteuid().as_raw();
    let mut text = Vec::new();
    file.metadata()
        .is_ok_and(|found| found.is_file() && found.uid() == caller && found.len() <= LONGEST)
        && (&file).take(LONGEST).read_to_end(&mut text).is_ok()
        && serde_json::from_slice::<Record>(&text).is_ok_and(|record| record.marker == MARKER)
}

/// A lease that this process holds.
#[derive(Debug)]
pub(crate) struct Lease {
    file: File,
    record: Option<Record>,
}

/// What came of trying to take a lease over.
#[derive(Debug)]
pub(crate) enum Claim {
    /// Its maker is gone; it is ours now.
    Taken(Lease),
    /// Its maker lives.
    Busy,
    /// There is no lease.
    Missing,
    /// What has the name is no lease of ours.
    Foreign,
}

impl Lease {
    /// Makes and locks the lease of a folder that is still under its staging name.
    pub(crate) fn create(dir: BorrowedFd<'_>, path: &Path, name: &str) -> Result<Self, CacheError> {
        let failed = |source: std::io::Error| CacheError::io("lease", path, source);
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        let file = openat(dir, NAME, flags, mode).map_err(|errno| failed(errno.into()))?;
        flock(&file, FlockOperation::NonBlockingLockExclusive)
            .map_err(|errno| failed(errno.into()))?;
        let record = Record {
            marker: MARKER.to_owned(),
            name: name.to_owned(),
            pid: std::process::id(),
            started: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_secs()),
            kept: false,
        };
        let mut lease = Self {
            file: file.into(),
            record: None,
        };
        lease.write(record).map_err(failed)?;
        Ok(lease)
    }

    fn write(&mut self, record: Record) -> std::io::Result<()> {
        let bytes = serde_json::to_vec(&record)?;
        self.file.set_len(0)?;
        self.file.write_all_at(&bytes, 0)?;
        self.file.flush()?;
        self.record = Some(record);
        Ok(())
    }

    /// Syncs the record: after a power loss, an empty lease would never be swept.
    pub(crate) fn sync(&self) -> std::io::Result<()> {
        self.file.sync_data()
    }

    /// Marks the folder as one to keep.
    pub(crate) fn keep(&mut self) -> std::io::Result<()> {
        match self.record.clone() {
            Some(record) => self.write(Record {
                kept: true,
                ..record
            }),
            None => Ok(()),
        }
    }

    /// What the lease says, if it says anything.
    pub(crate) fn record(&self) -> Option<&Record> {
        self.record.as_ref()
    }

    /// Tries to take the lease of a folder over from a maker that is gone.
    pub(crate) fn claim(dir: BorrowedFd<'_>) -> rustix::io::Result<Claim> {
        let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match openat(dir, NAME, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(Errno::NOENT) => return Ok(Claim::Missing),
            // A link, a folder, a socket, or not ours to open.
            Err(Errno::LOOP | Errno::ISDIR | Errno::NXIO | Errno::ACCESS | Errno::NOTDIR) => {
                return Ok(Claim::Foreign);
            }
            Err(error) => return Err(error),
        };
        let is_ours = || {
            file.metadata().is_ok_and(|found| {
                found.is_file()
                    && found.nlink() == 1
                    && found.uid() == rustix::process::geteuid().as_raw()
                    && found.len() <= LONGEST
            })
        };
        if !is_ours() {
            return Ok(Claim::Foreign);
        }
        match flock(file.as_fd(), FlockOperation::NonBlockingLockExclusive) {
            // Its holder unlinks it and lets go of it last: then there is nothing left to claim.
            Ok(()) if !is_ours() => return Ok(Claim::Busy),
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Ok(Claim::Busy),
            Err(error) => return Err(error),
        }
        let mut text = Vec::new();
        if (&file).take(LONGEST).read_to_end(&mut text).is_err() {
            return Ok(Claim::Foreign);
        }
        if text.is_empty() {
            // Its maker was killed between making and writing it.
            return Ok(Claim::Taken(Self { file, record: None }));
        }
        match serde_json::from_slice::<Record>(&text) {
            Ok(record) if record.marker == MARKER => Ok(Claim::Taken(Self {
                file,
                record: Some(record),
            })),
            _ => Ok(Claim::Foreign),
        }
    }
}
