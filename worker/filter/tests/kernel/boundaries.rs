//! The unpack stage, the entries of other architectures, and what an installation wants. Not here:
//! the program stage's refusals (`attempts`).

use std::fs::File;
use std::io;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use crate::attempts::check_refused;
use crate::child::{Stagehand, errno, say};
use crate::harness::{Identity, folder, identities, not_run, start};
use crate::sys::Argument::{In, Number};
use crate::sys::call;

pub(crate) fn unpacking_has_files_and_nothing_else() {
    const UNPACK_REFUSED: &[(&str, &str)] = &[
        ("program", "EPERM"),
        ("thread", "EPERM"),
        ("socketpair", "EPERM"),
        ("chmod", "EPERM"),
        ("utimensat by path", "EPERM"),
    ];
    for identity in identities() {
        let open = start("unpack", "none", identity, folder().path()).outcomes();
        let outcomes = start("unpack", "unpack", identity, folder().path()).outcomes();
        check_refused(&open, &outcomes, UNPACK_REFUSED, identity);
        for name in ["write", "folder", "link", "time by descriptor"] {
            assert_eq!(open[name], "ok", "{name} without a filter");
            assert_eq!(outcomes[name], "ok", "{name} as {identity:?}");
        }
    }
}

pub(crate) fn play_unpack(stagehand: &Stagehand) {
    let done = |result: io::Result<()>| result.map(|()| 0).map_err(|error| errno(&error));
    let path = stagehand.folder.join("member");
    say("write", done(std::fs::write(&path, "text")));
    say(
        "folder",
        done(std::fs::create_dir(stagehand.folder.join("folder"))),
    );
    say(
        "link",
        done(std::os::unix::fs::symlink(
            "member",
            stagehand.folder.join("link"),
        )),
    );
    let file = File::options().write(true).open(&path).unwrap();
    let then = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(315_532_800);
    say("time by descriptor", done(file.set_modified(then)));
    assert_eq!(file.metadata().unwrap().modified().unwrap(), then);
    let name = b"member\0";
    let by_path = [
        Number(i64::from(libc::AT_FDCWD)),
        In(name),
        Number(0),
        Number(0),
    ];
    std::env::set_current_dir(&stagehand.folder).unwrap();
    say("utimensat by path", call(libc::SYS_utimensat, by_path));
    let chmod = [Number(i64::from(libc::AT_FDCWD)), In(name), Number(0o600)];
    say("chmod", call(libc::SYS_fchmodat, chmod));
    say("socketpair", done(UnixStream::pair().map(|_| ())));
    let thread = std::thread::Builder::new()
        .spawn(|| ())
        .map(|thread| drop(thread.join()));
    say("thread", done(thread));
    say(
        "program",
        done(
            Command::new("/bin/sh")
                .args(["-c", "exit 0"])
                .status()
                .map(|_| ()),
        ),
    );
}

pub(crate) fn the_32_bit_entry_ends_the_process() {
    let (open, _) = start("foreign", "none", Identity::Same, folder().path()).finish();
    if !open.success() {
        return not_run("the 32-bit entry", "this kernel or processor has none");
    }
    for filters in ["program", "unpack"] {
        let (status, _) = start("foreign", filters, Identity::Same, folder().path()).finish();
        assert_eq!(status.signal(), Some(libc::SIGSYS), "{filters}: {status}");
    }
}

/// The kernel takes the other architecture's program, as far as it can be shown here.
pub(crate) fn another_architecture_ends_the_process() {
    let (status, outcomes) = start("attempts", "foreign", Identity::Same, folder().path()).finish();
    assert_eq!(status.signal(), Some(libc::SIGSYS), "{status}");
    assert!(outcomes.is_empty(), "{outcomes:?}");
}

pub(crate) fn play_foreign() {
    #[cfg(target_arch = "x86_64")]
    assert_eq!(
        crate::sys::getpid_by_32_bit_entry(),
        i64::from(std::process::id())
    );
    #[cfg(not(target_arch = "x86_64"))]
    panic!("only x86_64 has such an entry");
}

pub(crate) fn a_filter_wants_no_new_privileges() {
    if rustix::thread::no_new_privs().unwrap() {
        return not_run("no_new_privs", "this process has them set already");
    }
    let identity = *identities().last().unwrap();
    let outcomes = start("privileged", "none", identity, folder().path()).outcomes();
    assert_eq!(outcomes["install"], "EACCES", "as {identity:?}");
}
