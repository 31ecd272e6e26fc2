//! Leases on entries: what a run uses is not removed under it.
//!
//! One lock an entry and no lock on the whole: a removal passes by what is in use and takes the
//! rest, while long work goes on. All of them are ranges of one byte in one file of the locks
//! bucket, at a place that the entry's path decides; builds can not reach that file. The scratch's
//! own lease is in `lease`.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use model::Sha256;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use rustix::fs::{AtFlags, CWD, OFlags, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, utimensat};

use crate::{Bucket, Cache, Layer};

/// The file whose ranges are the leases.
pub(crate) const NAME: &str = "leases";

/// What one cache handle and its clones hold: one open file a root, and so one owner of ranges.
#[derive(Debug, Default)]
pub(crate) struct EntryLeases {
    /// By root; none where it can not be opened.
    files: Mutex<BTreeMap<PathBuf, Option<Arc<File>>>>,
}

impl EntryLeases {
    fn of(&self, layer: &Layer) -> Option<Arc<File>> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let file = files.entry(layer.root().to_owned()).or_insert_with(|| {
            open(&layer.bucket(Bucket::Locks), layer.is_writable())
                .inspect_err(|error| tracing::debug!(%error, "what is used can not be held"))
                .ok()
                .map(Arc::new)
        });
        file.clone()
    }
}

/// The right to remove an entry; ends when it is dropped.
#[derive(Debug)]
pub(crate) struct EntryClaim {
    _file: File,
}

impl Cache {
    /// Holds the entry at `path`, which may not be there yet, for as long as this handle or a
    /// clone of it lives; also in the layers below, as far as their leases can be read.
    ///
    /// Call it before looking whether the entry is there: what is seen afterwards stays.
    pub fn hold(&self, path: &Path) {
        let Some(place) = self.place_of(path) else {
            return;
        };
        for layer in self.layers() {
            if let Some(file) = self.entry_leases().of(&layer) {
                share(&file, place, path);
            }
        }
    }

    /// Notes that the entry whose file or record this is was used now.
    pub fn touch(&self, path: &Path) {
        if self.inside(path).is_err() {
            return;
        }
        let times = Timestamps {
            last_access: Timespec {
                tv_sec: 0,
                tv_nsec: UTIME_OMIT,
            },
            last_modification: Timespec {
                tv_sec: 0,
                tv_nsec: UTIME_NOW,
            },
        };
        // Without it the entry counts as used less recently than it was.
        let _ = utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW);
    }

    /// Tries to become the only user of an entry; none if someone uses it, or if that can not be
    /// told.
    pub(crate) fn claim_entry(&self, path: &Path) -> Option<EntryClaim> {
        let place = self.place_of(path)?;
        let file = open(&self.bucket(Bucket::Locks), true).ok()?;
        match lock(&file, libc::F_WRLCK, place, false) {
            Ok(()) => Some(EntryClaim { _file: file }),
            Err(error) => {
                tracing::debug!(%error, path = %path.display(), "an entry can not be claimed");
                None
            }
        }
    }

    /// Returns the byte that stands for an entry.
    fn place_of(&self, path: &Path) -> Option<i64> {
        let rest = path.strip_prefix(self.root()).ok()?;
        let digest = Sha256::of(rest.as_os_str().as_encoded_bytes());
        let mut head = [0; 8];
        head.copy_from_slice(&digest.as_bytes()[..8]);
        // 62 bits, so that the range's end is a valid offset as well.
        i64::try_from(u64::from_be_bytes(head) >> 2).ok()
    }
}

/// Takes a shared range; waits only while a removal takes the entry out of sight.
fn share(file: &File, place: i64, path: &Path) {
    while let Err(error) = lock(file, libc::F_RDLCK, place, true) {
        if error != Errno::EINTR {
            // A removal can then not claim anything either, and leaves all as it is.
            tracing::debug!(%error, path = %path.display(), "an entry can not be held");
            return;
        }
    }
}

/// Opens the leases of a root; a shared range needs no more than reading.
fn open(locks: &Path, writable: bool) -> std::io::Result<File> {
    File::options()
        .read(true)
        .write(writable)
        .create(writable)
        .truncate(false)
        .mode(0o600)
        .custom_flags(OFlags::NOFOLLOW.bits() as i32)
        .open(locks.join(NAME))
}

fn lock(file: &File, kind: i32, place: i64, wait: bool) -> nix::Result<()> {
    let range = libc::flock {
        // The constants are small numbers, whatever type the header gives them.
        l_type: kind as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: place,
        l_len: 1,
        l_pid: 0,
    };
    let argument = if wait {
        FcntlArg::F_OFD_SETLKW(&range)
    } else {
        FcntlArg::F_OFD_SETLK(&range)
    };
    fcntl(file, argument).map(drop)
}

/// Returns when an entry was used last, as the time on its file or record says.
pub(crate) fn used(found: &std::fs::Metadata) -> SystemTime {
    found.modified().unwrap_or(SystemTime::UNIX_EPOCH)
}
