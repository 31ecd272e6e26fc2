//! What processes hold open: how many descriptors, and the bytes of files that have no name any more.
//!
//! Descriptors of other processes are looked at through `/proc/PID/fd` and never opened. What is held
//! by a mapping alone, or lies in a socket's queue, is not seen.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Descriptors that are looked at one by one, of all processes together.
const MOST_LOOKED_AT: usize = 100_000;

/// What is held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::local) struct Held {
    /// Bytes of unlinked files on the file system of the rooms.
    pub(in crate::local) unlinked_bytes: u64,
    /// How many they are.
    pub(in crate::local) unlinked_files: u64,
    /// The size of the largest of them.
    pub(in crate::local) largest_file: u64,
    /// Bytes of files that are memory (`memfd_create`).
    pub(in crate::local) memory_bytes: u64,
    /// Descriptors of the process that has most.
    pub(in crate::local) most_open: u64,
}

impl Held {
    /// Looks at the descriptors of `pids`; `device` is that of the rooms. A process that has ended
    /// meanwhile holds nothing.
    pub(in crate::local) fn by(pids: &[u32], device: u64) -> Self {
        let mut held = Self::default();
        let mut seen = BTreeSet::new();
        let mut looked_at = 0;
        for pid in pids {
            let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fd")) else {
                continue;
            };
            let mut open = 0;
            for entry in entries.flatten() {
                open += 1;
                looked_at += 1;
                if looked_at <= MOST_LOOKED_AT {
                    held.add(&entry.path(), device, &mut seen);
                }
            }
            held.most_open = held.most_open.max(open);
        }
        held
    }

    fn add(&mut self, descriptor: &Path, device: u64, seen: &mut BTreeSet<(u64, u64)>) {
        let Ok(found) = fs::metadata(descriptor) else {
            return;
        };
        if !found.is_file() || found.nlink() > 0 || !seen.insert((found.dev(), found.ino())) {
            return;
        }
        let bytes = found.blocks().saturating_mul(512);
        if found.dev() == device {
            self.unlinked_bytes += bytes;
            self.unlinked_files += 1;
            self.largest_file = self.largest_file.max(found.len());
        } else if fs::read_link(descriptor)
            .is_ok_and(|name| name.as_os_str().as_encoded_bytes().starts_with(b"/memfd:"))
        {
            self.memory_bytes += bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_file_without_a_name_counts_once_however_often_it_is_open() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let device = fs::metadata(folder.path()).expect("it is there").dev();
        let own = [std::process::id()];
        let path = folder.path().join("file");
        let mut file = fs::File::create(&path).expect("a file can be made");
        file.write_all(&vec![1; 3 << 20])
            .expect("it can be written");
        file.sync_all().expect("it can be synced");
        let before = Held::by(&own, device);
        fs::remove_file(&path).expect("it can be removed");
        let again = file.try_clone().expect("a descriptor can be copied");
        let after = Held::by(&own, device);
        // Other tests of this process may hold files of their own.
        assert!(
            after.unlinked_bytes >= 3 << 20
                && after.unlinked_bytes < before.unlinked_bytes + (6 << 20),
            "{before:?} {after:?}"
        );
        assert!(
            after.largest_file >= 3 << 20 && after.most_open > 3,
            "{after:?}"
        );
        drop((file, again));
    }
}
