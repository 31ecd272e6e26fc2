//! Calls that must be refused. Each is also made without a filter, where it must have another
//! outcome: an attempt that fails anyway shows nothing and is reported as not run.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::process::Command;

use crate::child::{Stagehand, errno, say};
use crate::harness::{Identity, folder, identities, not_run, start};
use crate::sys::Argument::{In, Number, Out};
use crate::sys::call;

/// What each attempt of [`play`] must come to behind the program filter.
const REFUSED: &[(&str, &str)] = &[
    ("socket inet", "EACCES"),
    ("socket inet6", "EACCES"),
    ("socket netlink", "EACCES"),
    ("socket local datagram", "EACCES"),
    ("socketpair local datagram", "EACCES"),
    ("connect", "EACCES"),
    ("unshare", "EPERM"),
    ("ptrace", "EPERM"),
    ("process_vm_readv", "EPERM"),
    ("kcmp", "EPERM"),
    ("chmod 4755", "EPERM"),
    ("chmod 2755", "EPERM"),
    ("openat create 6755", "EPERM"),
    ("openat nameless 4755", "EPERM"),
    ("openat2", "ENOSYS"),
    ("clone3", "ENOSYS"),
    ("mknod character device", "EPERM"),
    ("ioctl TIOCSTI", "EPERM"),
    ("ioctl TIOCLINUX", "EPERM"),
    ("prlimit by pid", "EPERM"),
    ("sched_setscheduler by pid", "EPERM"),
    ("setpriority of a group", "EPERM"),
    ("ioprio_set by pid", "EPERM"),
    ("personality", "EPERM"),
    ("inotify_add_watch", "EACCES"),
    ("fcntl lease", "EPERM"),
    ("shmget", "EPERM"),
    ("keyctl", "EPERM"),
    ("io_uring_setup", "EPERM"),
    ("vmsplice", "EPERM"),
    ("second listener", "EBUSY"),
];

/// What must work behind the program filter as without one.
const PASSING: &[&str] = &[
    "socket local stream",
    "chmod 0755",
    "openat create 0644",
    "openat nameless 0600",
    "mknod pipe",
    "prlimit of itself",
    "setpriority of itself",
    "personality query",
    "memfd_create",
    "pidfd_open",
    "another filter",
    "utimensat",
    "thread",
    "program",
];

pub(crate) fn what_the_rules_refuse_is_refused() {
    for identity in identities() {
        let place = folder();
        let open = start("attempts", "none", identity, place.path()).outcomes();
        // Alone, and inside the filter of somebody else (a container, an outer build).
        for filters in ["program", "program+program"] {
            let place = folder();
            let outcomes = start("attempts", filters, identity, place.path()).outcomes();
            check_refused(&open, &outcomes, REFUSED, identity);
            for name in PASSING {
                assert_eq!(
                    outcomes[*name], open[*name],
                    "{name}, {filters}, {identity:?}"
                );
                if open[*name] != "ok" {
                    not_run(name, &format!("{} without a filter", open[*name]));
                }
            }
            assert_eq!(outcomes.len(), REFUSED.len() + PASSING.len());
        }
    }
}

/// Asserts refusals, and that each came from the filter.
pub(crate) fn check_refused(
    open: &BTreeMap<String, String>,
    outcomes: &BTreeMap<String, String>,
    wanted: &[(&str, &str)],
    identity: Identity,
) {
    for (name, refusal) in wanted {
        assert_eq!(outcomes[*name], *refusal, "{name} as {identity:?}");
        if open[*name] == *refusal {
            not_run(
                name,
                &format!("{refusal} without a filter as well, as {identity:?}"),
            );
        }
    }
}

/// What must be made before the filter is in force.
pub(crate) struct Before {
    socket: Option<rustix::fd::OwnedFd>,
    inotify: i64,
    file: File,
}

pub(crate) fn prepare(stagehand: &Stagehand) -> Before {
    let family = rustix::net::AddressFamily::INET;
    let kind = rustix::net::SocketType::STREAM;
    let path = stagehand.folder.join("before");
    std::fs::write(&path, "before").unwrap();
    Before {
        socket: rustix::net::socket(family, kind, None).ok(),
        inotify: call(libc::SYS_inotify_init1, [Number(0)]).unwrap(),
        file: File::open(&path).unwrap(),
    }
}

pub(crate) fn play(stagehand: &Stagehand, before: &Before) {
    sockets(before);
    processes();
    files(stagehand, before);
    kernel();
    say("thread", std::thread::spawn(|| 0).join().map_err(|_| -1));
    let program = Command::new("/bin/sh").args(["-c", "exit 0"]).status();
    say(
        "program",
        program
            .map(|status| i64::from(!status.success()))
            .map_err(|e| errno(&e)),
    );
    // In this order: without a filter the first of the two brings the rule that refuses the other.
    say("second listener", install(true));
    say("another filter", install(false));
}

fn install(listener: bool) -> Result<i64, i32> {
    let spec = filter::Spec {
        stage: filter::Stage::Program,
        listener,
        local_sockets: true,
        broker_metadata: false,
        trace: false,
    };
    let program = filter::compile(filter::Arch::current(), &spec);
    filter::install(&program, listener)
        .map(|_| 0)
        .map_err(|error| errno(&error))
}

fn sockets(before: &Before) {
    let socket =
        |family: i64, kind: i64| call(libc::SYS_socket, [Number(family), Number(kind), Number(0)]);
    say("socket inet", socket(2, 1));
    say("socket inet6", socket(10, 2));
    say("socket netlink", socket(16, 3));
    say("socket local datagram", socket(1, 2));
    say("socket local stream", socket(1, 1 | 0o2_000_000));
    let mut pair = [0; 8];
    let arguments = [Number(1), Number(2), Number(0), Out(&mut pair)];
    say(
        "socketpair local datagram",
        call(libc::SYS_socketpair, arguments),
    );
    // The discard port of the loopback: refused by nobody there, not by the kernel's rules.
    let descriptor = before
        .socket
        .as_ref()
        .map_or(-1, |socket| i64::from(socket.as_raw_fd()));
    let mut address = [0; 16];
    address[..8].copy_from_slice(&[2, 0, 0, 9, 127, 0, 0, 1]);
    let arguments = [Number(descriptor), In(&address), Number(16)];
    say("connect", call(libc::SYS_connect, arguments));
}

fn processes() {
    let own = i64::from(std::process::id());
    let mut limits = [0; 16];
    say("unshare", call(libc::SYS_unshare, [Number(0x400)]));
    say(
        "ptrace",
        call(
            libc::SYS_ptrace,
            [Number(2), Number(own), Number(0), Number(0)],
        ),
    );
    let nothing = [
        Number(own),
        Number(0),
        Number(0),
        Number(0),
        Number(0),
        Number(0),
    ];
    say(
        "process_vm_readv",
        call(libc::SYS_process_vm_readv, nothing),
    );
    say(
        "kcmp",
        call(
            libc::SYS_kcmp,
            [Number(own), Number(own), Number(1), Number(0), Number(0)],
        ),
    );
    say("clone3", call(libc::SYS_clone3, [Number(0), Number(0)]));
    let by_pid = [Number(own), Number(7), Number(0), Out(&mut limits)];
    say("prlimit by pid", call(libc::SYS_prlimit64, by_pid));
    let itself = [Number(0), Number(7), Number(0), Out(&mut limits)];
    say("prlimit of itself", call(libc::SYS_prlimit64, itself));
    let ordinary = [0; 4];
    let scheduler = [Number(own), Number(0), In(&ordinary)];
    say(
        "sched_setscheduler by pid",
        call(libc::SYS_sched_setscheduler, scheduler),
    );
    let priority = |which: i64| {
        call(
            libc::SYS_setpriority,
            [Number(which), Number(0), Number(19)],
        )
    };
    say("setpriority of itself", priority(0));
    say("setpriority of a group", priority(1));
    say(
        "ioprio_set by pid",
        call(libc::SYS_ioprio_set, [Number(1), Number(own), Number(0)]),
    );
    say(
        "personality query",
        call(libc::SYS_personality, [Number(0xffff_ffff)]),
    );
    say(
        "personality",
        call(libc::SYS_personality, [Number(0x4_0000)]),
    );
    say(
        "pidfd_open",
        call(libc::SYS_pidfd_open, [Number(own), Number(0)]),
    );
}

fn files(stagehand: &Stagehand, before: &Before) {
    let path = |name: &str| {
        let mut bytes = stagehand
            .folder
            .join(name)
            .into_os_string()
            .into_encoded_bytes();
        bytes.push(0);
        bytes
    };
    let (here, file, folder) = (i64::from(libc::AT_FDCWD), path("before"), path(""));
    let chmod = |mode: i64| call(libc::SYS_fchmodat, [Number(here), In(&file), Number(mode)]);
    say("chmod 4755", chmod(0o4755));
    say("chmod 2755", chmod(0o2755));
    say("chmod 0755", chmod(0o755));
    let open = |path: &[u8], flags: i32, mode: i64| {
        let flags = i64::from(flags);
        call(
            libc::SYS_openat,
            [Number(here), In(path), Number(flags), Number(mode)],
        )
    };
    let creating = libc::O_CREAT | libc::O_WRONLY;
    say(
        "openat create 6755",
        open(&path("set-id"), creating, 0o6755),
    );
    say("openat create 0644", open(&path("plain"), creating, 0o644));
    let nameless = libc::O_TMPFILE | libc::O_RDWR;
    say("openat nameless 4755", open(&folder, nameless, 0o4755));
    say("openat nameless 0600", open(&folder, nameless, 0o600));
    let how = [0; 24];
    say(
        "openat2",
        call(
            libc::SYS_openat2,
            [Number(here), In(&file), In(&how), Number(24)],
        ),
    );
    let mknod = |name: &str, mode: i64| {
        call(
            libc::SYS_mknodat,
            [Number(here), In(&path(name)), Number(mode), Number(0)],
        )
    };
    say("mknod character device", mknod("device", 0o020_644));
    say("mknod pipe", mknod("pipe", 0o010_644));
    let watch = [Number(before.inotify), In(&folder), Number(2)];
    say(
        "inotify_add_watch",
        call(libc::SYS_inotify_add_watch, watch),
    );
    let descriptor = i64::from(before.file.as_raw_fd());
    let lease = [
        Number(descriptor),
        Number(1024),
        Number(i64::from(libc::F_RDLCK)),
    ];
    say("fcntl lease", call(libc::SYS_fcntl, lease));
    let times = [Number(descriptor), Number(0), Number(0), Number(0)];
    say("utimensat", call(libc::SYS_utimensat, times));
}

fn kernel() {
    let terminal = |request: i64| {
        let letter = [b'x'; 8];
        call(libc::SYS_ioctl, [Number(0), Number(request), In(&letter)])
    };
    say("ioctl TIOCSTI", terminal(0x5412));
    say("ioctl TIOCLINUX", terminal(0x541c));
    say(
        "shmget",
        call(libc::SYS_shmget, [Number(0), Number(0), Number(0)]),
    );
    say(
        "keyctl",
        call(libc::SYS_keyctl, [Number(0), Number(-1), Number(0)]),
    );
    say(
        "io_uring_setup",
        call(libc::SYS_io_uring_setup, [Number(0), Number(0)]),
    );
    say(
        "vmsplice",
        call(
            libc::SYS_vmsplice,
            [Number(-1), Number(0), Number(0), Number(0)],
        ),
    );
    say(
        "memfd_create",
        call(libc::SYS_memfd_create, [In(b"name\0"), Number(0)]),
    );
}
