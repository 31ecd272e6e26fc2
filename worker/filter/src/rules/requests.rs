//! What an `ioctl` may ask for, in every stage. Not here: the other calls on files (`files`).
//!
//! A file system looks at who owns an inode, hardly at how the descriptor was opened, and no path
//! hook of Landlock sees what it then does: a descriptor opened for reading, of a file or of a
//! folder, is enough to change flags, generations and projects, to encrypt a folder or to make a
//! subvolume in it. So the families of requests that file systems answer are closed as a whole, and
//! the few requests that honest tools make are let out before.

use libc::{ENOTTY, EPERM};

use super::{Action, Condition, Rule, Test, argument, refuse_when};

/// The bits of a request that name its family (`_IOC_TYPE` of `linux/ioctl.h`).
const FAMILY: u32 = 0xff00;

const FICLONE: u32 = 0x4004_9409;
const FICLONERANGE: u32 = 0x4020_940d;
const FIDEDUPERANGE: u32 = 0xc018_9436;
const FS_IOC_GETFLAGS: u32 = 0x8008_6601;
const FS_IOC32_GETFLAGS: u32 = 0x8004_6601;
const FS_IOC_FIEMAP: u32 = 0xc020_660b;
const FS_IOC_FSGETXATTR: u32 = 0x801c_581f;
const FS_IOC_GETVERSION: u32 = 0x8008_7601;
const TIOCSTI: u32 = 0x5412;
const TIOCLINUX: u32 = 0x541c;
const TIOCSETD: u32 = 0x5423;

/// A condition on the request, which the kernel takes as an `unsigned int`.
const fn is(request: u32) -> Condition {
    argument(1, Test::Is(request))
}

/// A condition on the request's family, whatever its number, direction and size.
const fn of_family(family: u32) -> Condition {
    argument(
        1,
        Test::Field {
            mask: FAMILY,
            value: family,
        },
    )
}

/// Lets a request out of a family that is refused further down.
const fn pass(when: &'static [Condition], why: &'static str) -> Rule {
    Rule {
        calls: &["ioctl"],
        when,
        action: Action::Allow,
        why,
    }
}

/// Answers as a file system that does not know the request.
const fn unknown(when: &'static [Condition], why: &'static str) -> Rule {
    refuse_when(&["ioctl"], when, ENOTTY, why)
}

/// Every stage. What passes comes before the families.
pub(crate) const RULES: &[Rule] = &[
    pass(
        &[is(FICLONE)],
        "copies by reference into a descriptor opened for writing; cp and installers do",
    ),
    pass(
        &[is(FICLONERANGE)],
        "copies by reference into a descriptor opened for writing",
    ),
    pass(
        &[is(FIDEDUPERANGE)],
        "shares what is equal already: neither bytes nor times change, even where an owner's \
         descriptor is not open for writing",
    ),
    pass(&[is(FS_IOC_GETFLAGS)], "reads flags; archivers do"),
    pass(
        &[is(FS_IOC32_GETFLAGS)],
        "reads flags, spelt for a 32-bit process",
    ),
    pass(&[is(FS_IOC_FIEMAP)], "reads where a sparse file has holes"),
    pass(&[is(FS_IOC_FSGETXATTR)], "reads flags and project"),
    pass(&[is(FS_IOC_GETVERSION)], "reads a generation"),
    unknown(
        &[of_family(0x6600)],
        "'f': flags, ext4's generations and resizing, encryption policies, verity",
    ),
    unknown(
        &[of_family(0x7600)],
        "'v': a generation is set through a descriptor opened for reading",
    ),
    unknown(
        &[of_family(0x5800)],
        "'X': flags and projects, freezing, trimming, xfs's opening by handle",
    ),
    unknown(
        &[of_family(0x9400)],
        "btrfs makes and changes subvolumes and snapshots, without a path hook",
    ),
    unknown(
        &[of_family(0xf500)],
        "f2fs pins, compresses and moves files and erases them for good",
    ),
    unknown(&[of_family(0x7200)], "'r': FAT's attributes of files"),
    refuse_when(
        &["ioctl"],
        &[is(TIOCSTI)],
        EPERM,
        "types into a terminal that was left open",
    ),
    refuse_when(
        &["ioctl"],
        &[is(TIOCLINUX)],
        EPERM,
        "pastes into a console that was left open",
    ),
    refuse_when(
        &["ioctl"],
        &[is(TIOCSETD)],
        EPERM,
        "loads line disciplines, a door to old drivers",
    ),
];
