//! Leases on entries: what a run uses is not removed under it.
//!
//! One lock an entry and no lock on the whole: a removal passes by what is in use and takes the
//! rest, while long work goes on. All of them are ranges of one byte in one file of the locks
//! bucket, at a place that the entry's path decides; builds can not reach that file. The scratch's
//! own lease is in `lease`.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::OnceLock;
use std::time::SystemTime;

use model::Sha256;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use rustix::fs::{AtFlags, CWD, OFlags, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, utimensat};

use crate::{Bucket, Cache};

/// The file whose ranges are the leases.
pub(crate) const NAME: &str = "leases";

/// What one cache handle and its clones hold: one open file, and so one owner of ranges.
#[derive(Debug, Default)]
pub(crate) struct EntryLeases {
    file: OnceLock<Option<File>>,
}

/// The right to remove an entry; ends when it is dropped.
#[derive(Debug)]
pub(crate) struct EntryClaim {
    _file: File,
}

impl Cache {
    /// Holds the entry at `path`, which may not be there yet, for as long as this handle or a
    /// clone of it lives. What is outside of the root is nobody's to remove, and not held.
    ///
    /// Call it before looking whether the entry is there: what is seen afterwards stays.
    pub fn hold(&self, path: &Path) {
        let Some(place) = self.place_of(path) else {
            return;
        };
        let file = self.entry_leases().file.get_or_init(|| {
            let open = open(self);
            if let Err(error) = &open {
                tracing::debug!(%error, "what is used can not be held");
            }
            open.ok()
        });
        let Some(file) = file else {
            return;
        };
        // Waits only while a removal takes the entry out of sight.
        while let Err(error) = lock(file, libc::F_RDLCK, place, true) {
            if error != Errno::EINTR {
                // A removal can then not claim anything either, and leaves all as it is.
                tracing::debug!(%error, path = %path.display(), "an entry can not be held");
                return;
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
        let file = open(self).ok()?;
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

fn open(cache: &Cache) -> std::io::Result<File> {
    File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(OFlags::NOFOLLOW.bits() as i32)
        .open(cache.bucket(Bucket::Locks).join(NAME))
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
