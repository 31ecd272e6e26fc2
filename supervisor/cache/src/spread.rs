//! A folder whose folders have nothing to do with each other, as ext4 is told.
//!
//! ext4 puts what is made below a folder close to it, and gives out no inode that was freed within the last minute or
//! some more: whenever a file is made it passes by each of them. Where scratches come and go beside one another, that
//! soon takes longer than everything else. With the flag `T` of the folder (`chattr(1)`, `FS_TOPDIR_FL`) each of its
//! folders begins in a part of the disk of its own.

use std::path::Path;

use rustix::fs::{IFlags, Mode, fstatfs, ioctl_getflags, ioctl_setflags, open};

use crate::staging::dir_flags;

/// What `statfs` calls ext4 (and its elders): `EXT4_SUPER_MAGIC`.
const EXT4: i64 = 0xef53;

/// Sets the flag where it is of use. It is about speed alone: a folder without it serves.
pub(crate) fn apart(folder: &Path) {
    let set = || -> rustix::io::Result<()> {
        let folder = open(folder, dir_flags(), Mode::empty())?;
        if fstatfs(&folder)?.f_type != EXT4 {
            return Ok(());
        }
        let flags = ioctl_getflags(&folder)?;
        if flags.contains(IFlags::TOPDIR) {
            return Ok(());
        }
        ioctl_setflags(&folder, flags | IFlags::TOPDIR)
    };
    if let Err(error) = set() {
        tracing::debug!(%error, folder = %folder.display(), "its folders stay close to each other");
    }
}
