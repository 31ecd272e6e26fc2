//! What file systems are asked through descriptors opened for reading. Each request is also made
//! without a filter. Not here: requests of terminals (`attempts`).

use std::fs::File;
use std::os::fd::AsRawFd;

use crate::attempts::check_refused;
use crate::child::{Stagehand, say};
use crate::harness::{folder, identities, not_run, start};
use crate::sys::Argument::{self, In, Number, Out};
use crate::sys::call;

const REFUSED: &[(&str, &str)] = &[
    ("SETFLAGS", "ENOTTY"),
    ("SETFLAGS of a folder", "ENOTTY"),
    ("ext4 SETVERSION", "ENOTTY"),
    ("SETVERSION", "ENOTTY"),
    ("FSSETXATTR", "ENOTTY"),
    ("SET_ENCRYPTION_POLICY", "ENOTTY"),
    ("ENABLE_VERITY", "ENOTTY"),
    ("FITRIM", "ENOTTY"),
];

const GETFLAGS: i64 = 0x8008_6601;

/// What gets the file system's own answer, whatever that is.
const ANSWERED: &[&str] = &[
    "FICLONE",
    "FICLONERANGE",
    "FIDEDUPERANGE",
    "GETFLAGS",
    "GETVERSION",
    "FSGETXATTR",
    "FIEMAP",
    "FIGETBSZ",
    "FIONREAD",
    "FIONBIO",
    "FIOCLEX",
];

pub(crate) fn descriptors_opened_for_reading_change_nothing() {
    for identity in identities() {
        let open = start("requests", "none", identity, folder().path()).outcomes();
        for filters in ["program", "unpack"] {
            let outcomes = start("requests", filters, identity, folder().path()).outcomes();
            check_refused(&open, &outcomes, REFUSED, identity);
            for name in ANSWERED {
                assert_eq!(
                    outcomes[*name], open[*name],
                    "{name}, {filters}, {identity:?}"
                );
                if open[*name] == "ENOTTY" {
                    not_run(name, "the file system here does not know it");
                }
            }
            assert_eq!(outcomes.len(), REFUSED.len() + ANSWERED.len());
        }
    }
}

fn ask(file: &File, request: i64, argument: Argument<'_>) -> Result<i64, i32> {
    let descriptor = i64::from(file.as_raw_fd());
    call(
        libc::SYS_ioctl,
        [Number(descriptor), Number(request), argument],
    )
}

/// The file and the folder are the child's own, so no question of ownership hides the filter.
pub(crate) fn play(stagehand: &Stagehand) {
    let path = stagehand.folder.join("read");
    std::fs::write(&path, "text").unwrap();
    let inner = stagehand.folder.join("inner");
    std::fs::create_dir(&inner).unwrap();
    let (file, inner) = (File::open(&path).unwrap(), File::open(&inner).unwrap());
    changes(&file, &inner);
    let target = File::create(stagehand.folder.join("target")).unwrap();
    questions(&file, &target);
}

fn changes(file: &File, inner: &File) {
    say("SETFLAGS", forget_in_dumps(file));
    say("SETFLAGS of a folder", forget_in_dumps(inner));
    say("ext4 SETVERSION", ask(file, 0x4008_6604, In(&[7; 8])));
    say("SETVERSION", ask(file, 0x4008_7602, In(&[7; 8])));
    say("FSSETXATTR", ask(file, 0x401c_5820, In(&[0; 28])));
    say(
        "SET_ENCRYPTION_POLICY",
        ask(inner, 0x800c_6613, In(&[0; 12])),
    );
    say("ENABLE_VERITY", ask(file, 0x4080_6685, In(&[0; 128])));
    // A range of no length: nothing is trimmed.
    say("FITRIM", ask(file, 0xc018_5879, Out(&mut [0; 24])));
}

/// Adds one harmless flag; ext4 would take a flag that is not repeated as one to clear.
fn forget_in_dumps(file: &File) -> Result<i64, i32> {
    let mut flags = [0; 8];
    ask(file, GETFLAGS, Out(&mut flags))?;
    flags[0] |= 0x40;
    ask(file, 0x4008_6602, In(&flags))
}

fn questions(file: &File, target: &File) {
    let source = i64::from(file.as_raw_fd());
    say("FICLONE", ask(target, 0x4004_9409, Number(source)));
    let mut range = [0; 32];
    range[..8].copy_from_slice(&source.to_ne_bytes());
    say("FICLONERANGE", ask(target, 0x4020_940d, In(&range)));
    say("FIDEDUPERANGE", ask(file, 0xc018_9436, Out(&mut [0; 24])));
    say("GETFLAGS", ask(file, GETFLAGS, Out(&mut [0; 8])));
    say("GETVERSION", ask(file, 0x8008_7601, Out(&mut [0; 8])));
    say("FSGETXATTR", ask(file, 0x801c_581f, Out(&mut [0; 28])));
    let mut extents = [0; 32];
    extents[8..16].copy_from_slice(&u64::MAX.to_ne_bytes());
    say("FIEMAP", ask(file, 0xc020_660b, Out(&mut extents)));
    say("FIGETBSZ", ask(file, 2, Out(&mut [0; 4])));
    say("FIONREAD", ask(file, 0x541b, Out(&mut [0; 4])));
    say("FIONBIO", ask(file, 0x5421, In(&[0; 4])));
    say("FIOCLEX", ask(file, 0x5451, Number(0)));
}
