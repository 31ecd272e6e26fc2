//! What a filter promises about `ioctl`, written by hand and apart from the rules, with the numbers
//! that a kernel's headers give. Not here: the other calls (`promises`).

use super::SPECS;
use super::interpreter::{Data, run};
use crate::arch::Arch;
use crate::emit::{Program, compile};
use crate::rules::Action;

const ALLOW: Action = Action::Allow;
const EPERM: Action = Action::Errno(libc::EPERM);
const ENOTTY: Action = Action::Errno(libc::ENOTTY);

/// What honest tools ask for: copies by reference, flags, extents, generations; terminals, pipes
/// and sockets; block sizes and names of file systems.
const HONEST: &[u32] = &[
    0x4004_9409, // FICLONE
    0x4020_940d, // FICLONERANGE
    0xc018_9436, // FIDEDUPERANGE
    0x8008_6601, // FS_IOC_GETFLAGS
    0x8004_6601, // FS_IOC32_GETFLAGS
    0xc020_660b, // FS_IOC_FIEMAP
    0x801c_581f, // FS_IOC_FSGETXATTR
    0x8008_7601, // FS_IOC_GETVERSION
    0x0002,      // FIGETBSZ
    0x8011_1500, // FS_IOC_GETFSUUID
    0x5401,      // TCGETS
    0x5402,      // TCSETS
    0x540f,      // TIOCGPGRP
    0x5413,      // TIOCGWINSZ
    0x541b,      // FIONREAD
    0x5421,      // FIONBIO
    0x5450,      // FIONCLEX
    0x5451,      // FIOCLEX
    0x5452,      // FIOASYNC
    0x802c_542a, // TCGETS2
    0x8004_5430, // TIOCGPTN
    0x8912,      // SIOCGIFCONF
];

/// What changes an inode or a file system through a descriptor opened for reading.
const CHANGING: &[u32] = &[
    0x4008_6602, // FS_IOC_SETFLAGS
    0x4004_6602, // FS_IOC32_SETFLAGS
    0x4008_6604, // EXT4_IOC_SETVERSION
    0x4004_6604, // EXT4_IOC32_SETVERSION
    0x0000_6609, // EXT4_IOC_MIGRATE
    0x800c_6613, // FS_IOC_SET_ENCRYPTION_POLICY
    0xc050_6617, // FS_IOC_ADD_ENCRYPTION_KEY
    0x4004_662b, // EXT4_IOC_CHECKPOINT
    0x4080_6685, // FS_IOC_ENABLE_VERITY
    0x4008_7602, // FS_IOC_SETVERSION
    0x4004_7602, // FS_IOC32_SETVERSION
    0x401c_5820, // FS_IOC_FSSETXATTR
    0xc004_5877, // FIFREEZE
    0xc018_5879, // FITRIM
    0x8004_587d, // FS_IOC_SHUTDOWN
    0x5000_9401, // BTRFS_IOC_SNAP_CREATE
    0x5000_940e, // BTRFS_IOC_SUBVOL_CREATE
    0x5000_940f, // BTRFS_IOC_SNAP_DESTROY
    0x5000_9417, // BTRFS_IOC_SNAP_CREATE_V2
    0x5000_9418, // BTRFS_IOC_SUBVOL_CREATE_V2
    0x4008_941a, // BTRFS_IOC_SUBVOL_SETFLAGS
    0xc0c8_9425, // BTRFS_IOC_SET_RECEIVED_SUBVOL
    0x4100_9432, // FS_IOC_SETFSLABEL
    0x4004_f50d, // F2FS_IOC_SET_PIN_FILE
    0x4018_f514, // F2FS_IOC_SEC_TRIM_FILE
    0x4004_7211, // FAT_IOCTL_SET_ATTRIBUTES
];

fn answer(arch: Arch, program: &Program, request: u64) -> u32 {
    let (_, number) = arch
        .calls()
        .iter()
        .find(|(name, _)| *name == "ioctl")
        .unwrap();
    let data = Data {
        number: *number,
        arch: arch.audit_word(),
        arguments: [3, request, 0x7ffe_1234_5678, 0, 0, 0],
    };
    run(program.instructions(), &data)
}

/// Hands over each filter there is for each architecture.
fn everywhere(check: impl Fn(Arch, &Program, &str)) {
    for arch in [Arch::X86_64, Arch::Aarch64] {
        for (name, spec) in SPECS {
            check(arch, &compile(arch, &spec), &format!("{arch:?} {name}"));
        }
    }
}

#[test]
fn changes_are_unknown_and_honest_requests_pass_whatever_the_high_half_holds() {
    let terminals = [0x5412, 0x541c, 0x5423].map(|request| (request, EPERM));
    let honest = HONEST.iter().map(|request| (*request, ALLOW));
    let changing = CHANGING.iter().map(|request| (*request, ENOTTY));
    let cases: Vec<_> = honest.chain(changing).chain(terminals).collect();
    everywhere(|arch, program, which| {
        for (request, wanted) in &cases {
            for high in [0, 1 << 32, !0 << 32] {
                let got = answer(arch, program, u64::from(*request) | high);
                assert_eq!(got, wanted.word(), "{which}: {request:#x} {high:#x}");
            }
        }
    });
}

#[test]
fn a_family_is_closed_for_every_number_direction_and_size_and_no_other_is() {
    const CLOSED: [u32; 6] = [0x66, 0x76, 0x58, 0x94, 0xf5, 0x72];
    const SHAPES: [u32; 6] = [0, 0x4004, 0x4008, 0x8008, 0xc020, 0xffff];
    everywhere(|arch, program, which| {
        for family in 0..=0xff {
            for number in [0, 1, 2, 4, 9, 0x0b, 0x0d, 0x13, 0x1f, 0x36, 0x7f, 0xff] {
                for shape in SHAPES {
                    let request = shape << 16 | family << 8 | number;
                    let closed = CLOSED.contains(&family) && !HONEST.contains(&request);
                    let wanted = if closed { ENOTTY } else { ALLOW };
                    let got = answer(arch, program, u64::from(request));
                    assert_eq!(got, wanted.word(), "{which}: {request:#x}");
                }
            }
        }
    });
}

#[test]
fn an_honest_number_of_another_size_or_direction_is_not_honest() {
    everywhere(|arch, program, which| {
        for request in &HONEST[..8] {
            for bit in 16..32 {
                let other = request ^ 1 << bit;
                if HONEST.contains(&other) {
                    continue;
                }
                let got = answer(arch, program, u64::from(other));
                assert_eq!(got, ENOTTY.word(), "{which}: {other:#x}");
            }
        }
    });
}
