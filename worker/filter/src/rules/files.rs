//! Files that must not come into being and doors to files past Landlock, in every stage. Not here:
//! metadata in general, which depends on the stage (`metadata`); what an `ioctl` asks for (`requests`).

use libc::{EACCES, ENOSYS, EPERM};

use super::{Rule, Test, argument, refuse, refuse_when};

const SET_ID: u32 = 0o6000;
/// `O_CREAT` and the kernel's half of `O_TMPFILE`: only with one of them an open uses its mode.
const CREATES: u32 = 0o100 | 0o2000_0000;
const FILE_TYPE: u32 = 0o170_000;
const CHARACTER_DEVICE: u32 = 0o020_000;
const BLOCK_DEVICE: u32 = 0o060_000;
const F_SETLEASE: u32 = 1024;
const F_NOTIFY: u32 = 1026;

/// Every stage.
pub(crate) const RULES: &[Rule] = &[
    // Set-id files and devices.
    refuse_when(
        &["chmod", "fchmod"],
        &[argument(1, Test::AnyOf(SET_ID))],
        EPERM,
        "no set-id file, whoever brokers the rest",
    ),
    refuse_when(
        &["fchmodat", "fchmodat2"],
        &[argument(2, Test::AnyOf(SET_ID))],
        EPERM,
        "no set-id file, whoever brokers the rest",
    ),
    refuse_when(
        &["open"],
        &[
            argument(1, Test::AnyOf(CREATES)),
            argument(2, Test::AnyOf(SET_ID)),
        ],
        EPERM,
        "an open creates set-id files as well as a chmod",
    ),
    refuse_when(
        &["openat"],
        &[
            argument(2, Test::AnyOf(CREATES)),
            argument(3, Test::AnyOf(SET_ID)),
        ],
        EPERM,
        "an open creates set-id files as well as a chmod",
    ),
    refuse(
        &["openat2"],
        ENOSYS,
        "its mode lies in memory; callers fall back to openat",
    ),
    refuse_when(
        &["creat", "mkdir", "mknod"],
        &[argument(1, Test::AnyOf(SET_ID))],
        EPERM,
        "creates with a set-id mode",
    ),
    refuse_when(
        &["mkdirat", "mknodat"],
        &[argument(2, Test::AnyOf(SET_ID))],
        EPERM,
        "creates with a set-id mode",
    ),
    refuse_when(
        &["mknod"],
        &[argument(
            1,
            Test::Field {
                mask: FILE_TYPE,
                value: CHARACTER_DEVICE,
            },
        )],
        EPERM,
        "no device nodes; pipes and files pass",
    ),
    refuse_when(
        &["mknod"],
        &[argument(
            1,
            Test::Field {
                mask: FILE_TYPE,
                value: BLOCK_DEVICE,
            },
        )],
        EPERM,
        "no device nodes; pipes and files pass",
    ),
    refuse_when(
        &["mknodat"],
        &[argument(
            2,
            Test::Field {
                mask: FILE_TYPE,
                value: CHARACTER_DEVICE,
            },
        )],
        EPERM,
        "no device nodes; pipes and files pass",
    ),
    refuse_when(
        &["mknodat"],
        &[argument(
            2,
            Test::Field {
                mask: FILE_TYPE,
                value: BLOCK_DEVICE,
            },
        )],
        EPERM,
        "no device nodes; pipes and files pass",
    ),
    // Files by other doors.
    refuse(
        &["name_to_handle_at", "open_by_handle_at"],
        EPERM,
        "opens by handle what no path reaches",
    ),
    refuse(
        &["fanotify_init", "fanotify_mark"],
        EPERM,
        "watches whole file systems",
    ),
    refuse(
        &["inotify_add_watch"],
        EACCES,
        "watches folders that Landlock would not let it read",
    ),
    refuse_when(
        &["fcntl"],
        &[argument(1, Test::Is(F_NOTIFY))],
        EACCES,
        "the older inotify",
    ),
    refuse_when(
        &["fcntl"],
        &[argument(1, Test::Is(F_SETLEASE))],
        EPERM,
        "a lease on a shared file holds up whoever else opens it",
    ),
    refuse(
        &["file_setattr"],
        EPERM,
        "changes inode flags by path; Landlock does not cover metadata",
    ),
    // Mounts.
    refuse(
        &["mount", "umount2", "pivot_root", "chroot"],
        EPERM,
        "the build's view of the file system is the worker's to make",
    ),
    refuse(
        &[
            "open_tree",
            "open_tree_attr",
            "move_mount",
            "fsopen",
            "fsconfig",
            "fsmount",
            "fspick",
            "mount_setattr",
        ],
        EPERM,
        "the newer words for mount",
    ),
    refuse(
        &["statmount", "listmount"],
        EPERM,
        "lists the host's mounts",
    ),
    refuse(
        &["swapon", "swapoff", "quotactl", "quotactl_fd"],
        EPERM,
        "changes file systems",
    ),
    refuse(
        &["acct"],
        EPERM,
        "makes the kernel write a file of the caller's choice",
    ),
];
