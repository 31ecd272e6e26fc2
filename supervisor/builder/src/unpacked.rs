//! An archive that a worker unpacked for the supervisor to look at: what no memory-safe decoder of
//! the supervisor reads. No program runs in it.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::path::Path;

use cache::{Cache, Scratch};
use protocol::{Access, Limits, Listing, Unpack};
use rustix::fs::{Mode, OFlags, openat};

use crate::assignment::{Layout, readable};
use crate::error::BuildError;
use crate::executor::{Executor, Floor, Job};
use crate::furnished::furnished;
use crate::local::{LocalExecutor, UidLease};
use crate::pipeline::blocking;
use crate::redact::Redactor;

/// The largest file that is read, in bytes.
const LARGEST: u64 = 4 << 20;

/// A tree that a worker laid down; it goes when this is dropped.
pub(crate) struct Unpacked {
    /// What the worker says that it is.
    pub(crate) listing: Option<Listing>,
    scratch: Scratch,
    /// The files are the uid's.
    _uid: Option<UidLease>,
}

/// The room with the tree.
pub(crate) struct Room(OwnedFd);

/// Has a worker unpack an archive.
///
/// # Errors
/// If the archive is refused, or no worker could do it.
pub(crate) async fn unpack(
    executor: &LocalExecutor,
    cache: &Cache,
    order: Unpack,
    (limits, floor): (Limits, Floor),
) -> Result<Unpacked, BuildError> {
    let host = executor.host().await?;
    let lease = executor.lease_uid(host).await?;
    let place = cache.clone();
    let scratch = blocking("make a scratch", move || furnished(&place)).await?;
    let uid = lease.as_ref().map(UidLease::uid);
    let layout = Layout::new(host, uid, scratch.path(), cache.root())?;
    let grants = vec![readable("/dev/null".as_ref(), Access::ReadWriteFile)?];
    let job = Job {
        assignment: layout.assignment(grants, limits, Some(order), None)?,
        scratch,
        dialogue: Box::new(|_| None),
        floor,
        log: None,
        lines: None,
        redactor: Redactor::default(),
        watched: true,
        stream: None,
    };
    let (evidence, scratch) = executor.execute(job).await?;
    match evidence.refused {
        Some((rule, detail)) => Err(BuildError::Archive { rule, detail }),
        None => Ok(Unpacked {
            listing: evidence.listing,
            scratch,
            _uid: lease,
        }),
    }
}

impl Unpacked {
    /// Opens the room.
    pub(crate) fn room(&self) -> Result<Room, BuildError> {
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        openat(self.scratch.dir(), "s", flags, Mode::empty())
            .map(Room)
            .map_err(|errno| BuildError::Io {
                doing: "open the room of",
                path: self.scratch.path().to_owned(),
                source: errno.into(),
            })
    }
}

impl Room {
    /// Reads a file, no part of whose name may be a link.
    pub(crate) fn read(&self, name: &str) -> Option<Vec<u8>> {
        let mut folder = self.0.try_clone().ok()?;
        let path = Path::new(name);
        for part in path.parent()?.components() {
            let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            folder = openat(&folder, part.as_os_str(), flags, Mode::empty()).ok()?;
        }
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = openat(&folder, path.file_name()?, flags, Mode::empty()).ok()?;
        let file = File::from(file);
        let fits = file
            .metadata()
            .is_ok_and(|found| found.is_file() && found.len() <= LARGEST);
        let mut bytes = Vec::new();
        (fits && file.take(LARGEST).read_to_end(&mut bytes).is_ok()).then_some(bytes)
    }
}
