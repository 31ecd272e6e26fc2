//! What a filter promises, written by hand and apart from the rules: calls that attacks need and
//! calls that honest builds need.

use super::SPECS;
use super::interpreter::{Data, run};
use crate::arch::Arch;
use crate::emit::compile;
use crate::rules::Action;

const ALLOW: Action = Action::Allow;
const NOTIFY: Action = Action::Notify;
const EPERM: Action = Action::Errno(libc::EPERM);
const EACCES: Action = Action::Errno(libc::EACCES);
const ENOSYS: Action = Action::Errno(libc::ENOSYS);
const EBUSY: Action = Action::Errno(libc::EBUSY);

const AT_FDCWD: u64 = 0xffff_ff9c;
const POINTER: u64 = 0x7ffe_1234_5678;
const HIGH: u64 = 1 << 32;

/// Asserts what a filter answers a call on each architecture that has it.
#[track_caller]
fn expect(which: usize, call: &str, arguments: &[u64], wanted: Action) {
    let (name, spec) = SPECS[which];
    let mut padded = [0; 6];
    padded[..arguments.len()].copy_from_slice(arguments);
    let mut known = false;
    for arch in [Arch::X86_64, Arch::Aarch64] {
        let Some((_, number)) = arch.calls().iter().find(|(known, _)| *known == call) else {
            continue;
        };
        known = true;
        let data = Data {
            number: *number,
            arch: arch.audit_word(),
            arguments: padded,
        };
        let got = run(compile(arch, &spec).instructions(), &data);
        assert_eq!(got, wanted.word(), "{arch:?} {name}: {call} {arguments:x?}");
    }
    assert!(known, "no architecture has {call}");
}

const UNPACK: usize = 0;
const PROGRAM: usize = 1;
const LISTENER: usize = 2;
const BROKER: usize = 3;
const FETCH: usize = 4;
const FETCH_BROKER: usize = 5;
const PAIRS: usize = 6;
const PAIRS_BROKER: usize = 7;
const TRACE: usize = 8;
const ALL: [usize; 9] = [
    UNPACK,
    PROGRAM,
    LISTENER,
    BROKER,
    FETCH,
    FETCH_BROKER,
    PAIRS,
    PAIRS_BROKER,
    TRACE,
];
const PROGRAMS: [usize; 3] = [PROGRAM, LISTENER, BROKER];

#[test]
fn calls_that_only_attacks_need_are_refused_everywhere() {
    let refused = "unshare setns ptrace process_vm_readv process_vm_writev pidfd_getfd kcmp \
        process_madvise process_mrelease io_uring_setup io_uring_enter io_uring_register bpf \
        userfaultfd perf_event_open add_key request_key keyctl mount umount2 pivot_root chroot \
        open_tree open_tree_attr move_mount fsopen fsconfig fsmount fspick mount_setattr statmount \
        listmount kexec_load kexec_file_load init_module finit_module delete_module create_module \
        swapon swapoff acct quotactl quotactl_fd syslog reboot settimeofday clock_settime adjtimex \
        clock_adjtime sethostname setdomainname iopl ioperm modify_ldt name_to_handle_at \
        open_by_handle_at fanotify_init fanotify_mark shmget shmat shmctl semget semop semctl \
        semtimedop msgget msgsnd msgrcv msgctl mq_open mq_unlink mq_timedsend mq_timedreceive \
        mq_notify mq_getsetattr memfd_secret vmsplice mbind set_mempolicy set_mempolicy_home_node \
        migrate_pages move_pages lookup_dcookie uselib ustat nfsservctl vhangup \
        lsm_set_self_attr file_setattr";
    for call in refused.split_whitespace() {
        for which in ALL {
            expect(which, call, &[], EPERM);
            expect(which, call, &[u64::MAX; 6], EPERM);
        }
    }
    for which in ALL {
        expect(which, "clone3", &[POINTER, 88], ENOSYS);
        expect(which, "openat2", &[AT_FDCWD, POINTER, POINTER, 24], ENOSYS);
        expect(which, "inotify_add_watch", &[3, POINTER, 0xfff], EACCES);
    }
}

#[test]
fn calls_that_honest_builds_need_pass_untouched() {
    let passing = "read write close mmap mprotect munmap brk rt_sigaction rt_sigprocmask pipe2 dup3 \
        execve execveat wait4 waitid exit exit_group kill tkill tgkill futex futex_waitv \
        set_robust_list rseq membarrier getrandom statx newfstatat faccessat2 readlinkat getdents64 \
        getcwd chdir unlinkat renameat2 linkat symlinkat ftruncate fallocate fsync flock \
        memfd_create copy_file_range sendfile splice tee prctl arch_prctl fork vfork \
        set_tid_address epoll_create1 epoll_ctl epoll_pwait2 eventfd2 timerfd_create signalfd4 \
        pidfd_open pidfd_send_signal close_range sched_yield sched_getaffinity sched_getattr \
        getpriority ioprio_get get_mempolicy getrlimit setrlimit getrusage sysinfo uname times \
        clock_gettime clock_nanosleep inotify_init1 accept4 bind listen getsockname getpeername \
        setsockopt getsockopt shutdown recvfrom recvmsg io_setup io_submit getxattr listxattr \
        landlock_create_ruleset landlock_add_rule landlock_restrict_self madvise mlock cachestat \
        map_shadow_stack mseal lsm_get_self_attr lsm_list_modules setsid setpgid umask setuid \
        capget rt_sigqueueinfo restart_syscall uretprobe uprobe";
    for call in passing.split_whitespace() {
        for which in PROGRAMS {
            expect(which, call, &[], ALLOW);
            expect(which, call, &[u64::MAX; 6], ALLOW);
        }
    }
}

#[test]
fn processes_and_threads_start_but_not_in_new_namespaces() {
    let vfork = 0x4000 | 0x100 | 17;
    let thread = 0x003d_0f00;
    for which in PROGRAMS {
        for flags in [
            17,
            vfork,
            thread,
            thread | 0x0040_0000,
            0x0100_0000 | 17,
            0x1000 | 17,
        ] {
            expect(which, "clone", &[flags, POINTER], ALLOW);
        }
        for namespace in [
            0x2_0000,
            0x200_0000,
            0x400_0000,
            0x800_0000,
            1 << 28,
            1 << 29,
            1 << 30,
        ] {
            expect(which, "clone", &[17 | namespace], EPERM);
            expect(which, "clone", &[17 | namespace | HIGH], EPERM);
        }
    }
}

#[test]
fn where_nothing_is_scoped_only_a_pair_of_streams_is_free() {
    for (which, other) in [(PAIRS, EACCES), (PAIRS_BROKER, NOTIFY)] {
        for kind in [1, 1 | 0o2_000_000, 1 | 0o4000] {
            expect(which, "socketpair", &[1, kind, 0], ALLOW);
            expect(which, "socket", &[1, kind, 0], other);
        }
        for kind in [2, 3, 5] {
            expect(which, "socketpair", &[1, kind, 0], other);
            expect(which, "socket", &[1 | HIGH, kind, 0], other);
        }
        expect(which, "socket", &[2, 1, 0], other);
        expect(which, "connect", &[3, POINTER, 110], other);
        for call in "read execve kill fork bind listen accept4".split(' ') {
            expect(which, call, &[u64::MAX; 6], ALLOW);
        }
    }
}

#[test]
fn only_local_streams_are_free() {
    for call in ["socket", "socketpair"] {
        for which in PROGRAMS {
            let other = if which == PROGRAM { EACCES } else { NOTIFY };
            for kind in [1, 5, 1 | 0o2_000_000, 1 | 0o4000, 5 | 0o2_004_000] {
                expect(which, call, &[1, kind, 0], ALLOW);
                expect(which, call, &[1 | HIGH, kind | HIGH, 0], ALLOW);
            }
            for kind in [2, 3, 4, 6, 10, 2 | 0o2_000_000, 0xf, 0] {
                expect(which, call, &[1, kind, 0], other);
            }
            for family in [0, 2, 10, 16, 17, 38, 40, 44, 0xffff_ffff] {
                expect(which, call, &[family, 1, 0], other);
            }
            expect(which, "connect", &[3, POINTER, 16], other);
        }
    }
    for which in PROGRAMS {
        for (call, at) in [("sendto", 3), ("sendmsg", 2), ("sendmmsg", 3)] {
            let mut arguments = [3, POINTER, 0, 0, 0, 0];
            expect(which, call, &arguments, ALLOW);
            arguments[at] = 0x4000;
            expect(which, call, &arguments, ALLOW);
            arguments[at] = 0x2000_0000;
            expect(which, call, &arguments, EACCES);
            arguments[at] = 0x2000_4000 | HIGH;
            expect(which, call, &arguments, EACCES);
        }
    }
}

#[test]
fn who_fetches_opens_internet_sockets_and_no_local_ones() {
    for which in [FETCH, FETCH_BROKER] {
        let other = if which == FETCH { EACCES } else { NOTIFY };
        for family in [2, 10, 2 | HIGH] {
            for kind in [1, 2, 1 | 0o2_000_000, 2 | 0o2_004_000] {
                expect(which, "socket", &[family, kind, 0], ALLOW);
            }
            for kind in [3, 4, 5, 6, 10, 0] {
                expect(which, "socket", &[family, kind, 0], other);
            }
            expect(which, "socketpair", &[family, 1, 0], other);
        }
        for family in [0, 1, 16, 17, 38, 40, 44, 0xffff_ffff] {
            expect(which, "socket", &[family, 1, 0], other);
            expect(which, "socket", &[family, 2, 0], other);
        }
        expect(which, "socketpair", &[1, 1, 0], ALLOW);
        expect(which, "socketpair", &[1, 2, 0], other);
        expect(which, "connect", &[3, POINTER, 16], ALLOW);
        expect(which, "listen", &[3, 8], EACCES);
        expect(which, "execve", &[POINTER, POINTER, POINTER], ALLOW);
    }
    // And nobody else does: a build has no way out, whatever listens.
    for which in PROGRAMS {
        let refused = if which == PROGRAM { EACCES } else { NOTIFY };
        for family in [2, 10] {
            for kind in [1, 2] {
                expect(which, "socket", &[family, kind, 0], refused);
            }
        }
    }
}

#[test]
fn metadata_goes_to_the_broker_and_set_id_bits_never_do() {
    let changers = "chmod fchmod fchmodat fchmodat2 chown lchown fchown fchownat utime utimes \
        futimesat utimensat setxattr lsetxattr fsetxattr setxattrat removexattr lremovexattr \
        fremovexattr removexattrat";
    for call in changers.split_whitespace() {
        expect(PROGRAM, call, &[], ALLOW);
        expect(LISTENER, call, &[], ALLOW);
        expect(BROKER, call, &[], NOTIFY);
        expect(BROKER, call, &[AT_FDCWD, 0o755, 0o755, 0x1000], NOTIFY);
    }
    for which in PROGRAMS {
        for mode in [0o4755, 0o2755, 0o6000, 0o4755 | HIGH, 0o104_755] {
            expect(which, "chmod", &[POINTER, mode], EPERM);
            expect(which, "fchmod", &[3, mode], EPERM);
            expect(which, "fchmodat", &[AT_FDCWD, POINTER, mode], EPERM);
            expect(which, "fchmodat2", &[AT_FDCWD, POINTER, mode, 0], EPERM);
        }
        let sticky = if which == BROKER { NOTIFY } else { ALLOW };
        expect(which, "chmod", &[POINTER, 0o1777], sticky);
    }
}

#[test]
fn tracing_sees_every_open_and_every_start_and_changes_nothing_else() {
    let traced = ["open", "openat", "creat", "execve", "execveat"];
    for call in traced {
        expect(BROKER, call, &[], ALLOW);
        expect(TRACE, call, &[], NOTIFY);
    }
    let (_, plain) = SPECS[BROKER];
    let (_, tracing) = SPECS[TRACE];
    for arch in [Arch::X86_64, Arch::Aarch64] {
        for (name, number) in arch.calls() {
            let data = Data {
                number: *number,
                arch: arch.audit_word(),
                arguments: [0; 6],
            };
            let answers =
                [plain, tracing].map(|spec| run(compile(arch, &spec).instructions(), &data));
            let same = answers[0] == answers[1];
            assert_eq!(same, !traced.contains(name), "{arch:?} {name}");
        }
    }
}

#[test]
fn nothing_is_created_with_set_id_bits_or_as_a_device() {
    for which in ALL {
        // Who traces lets an open go on, later.
        let opens = if which == TRACE { NOTIFY } else { ALLOW };
        for creating in [0o100, 0o101, 0o20_200_002, 0o20_000_000, 0o100 | HIGH] {
            for mode in [0o4755, 0o2755, 0o6755 | HIGH] {
                expect(which, "openat", &[AT_FDCWD, POINTER, creating, mode], EPERM);
                expect(which, "open", &[POINTER, creating, mode], EPERM);
            }
            expect(
                which,
                "openat",
                &[AT_FDCWD, POINTER, creating, 0o1755],
                opens,
            );
            expect(which, "open", &[POINTER, creating, 0o644], opens);
        }
        // Without a creating flag the register holds whatever the caller's last call left there.
        expect(
            which,
            "openat",
            &[AT_FDCWD, POINTER, 0o2_000_000, 0o6755],
            opens,
        );
        expect(which, "open", &[POINTER, HIGH << 6, 0o6755], opens);
        for (call, at) in [
            ("creat", 1),
            ("mkdir", 1),
            ("mkdirat", 2),
            ("mknod", 1),
            ("mknodat", 2),
        ] {
            let mut arguments = [POINTER; 3];
            arguments[at] = 0o755;
            let passes = if call == "creat" { opens } else { ALLOW };
            expect(which, call, &arguments, passes);
            arguments[at] = 0o4755;
            expect(which, call, &arguments, EPERM);
        }
        for (call, at) in [("mknod", 1), ("mknodat", 2)] {
            let mut arguments = [POINTER; 4];
            for (kind, wanted) in [
                (0o010_000, ALLOW),
                (0o100_000, ALLOW),
                (0o140_000, ALLOW),
                (0o020_000, EPERM),
                (0o060_000, EPERM),
            ] {
                arguments[at] = kind | 0o644;
                expect(which, call, &arguments, wanted);
                arguments[at] |= HIGH;
                expect(which, call, &arguments, wanted);
            }
        }
    }
}

#[test]
fn only_the_caller_s_own_limits_and_priorities_change() {
    for which in ALL {
        for call in [
            "prlimit64",
            "sched_setaffinity",
            "sched_setattr",
            "sched_setparam",
            "sched_setscheduler",
        ] {
            expect(which, call, &[0, 7, 0, POINTER], ALLOW);
            expect(which, call, &[HIGH, 7, 0, POINTER], ALLOW);
            expect(which, call, &[1, 7, 0, POINTER], EPERM);
            expect(which, call, &[0xffff_ffff, 7, 0, POINTER], EPERM);
        }
        expect(which, "setpriority", &[0, 0, 5], ALLOW);
        expect(which, "setpriority", &[0, 1, 5], EPERM);
        expect(which, "setpriority", &[1, 0, 5], EPERM);
        expect(which, "setpriority", &[2, 0, 5], EPERM);
        expect(which, "ioprio_set", &[1, 0, 5], ALLOW);
        expect(which, "ioprio_set", &[1, 9, 5], EPERM);
        expect(which, "ioprio_set", &[2, 0, 5], EPERM);
        expect(which, "ioprio_set", &[3, 0, 5], EPERM);
    }
}

#[test]
fn arguments_decide_where_a_call_has_both_uses() {
    for which in ALL {
        for (asked, wanted) in [
            (0, ALLOW),
            (0xffff_ffff, ALLOW),
            (u64::MAX, ALLOW),
            (HIGH, ALLOW),
            (0x4_0000, EPERM),
            (8, EPERM),
            (0xffff_fffe, EPERM),
        ] {
            expect(which, "personality", &[asked], wanted);
        }
        expect(which, "seccomp", &[1, 0, POINTER], ALLOW);
        expect(which, "seccomp", &[1, 1, POINTER], ALLOW);
        expect(which, "seccomp", &[1, 8, POINTER], EBUSY);
        expect(which, "seccomp", &[1, 8 | 32 | HIGH, POINTER], EBUSY);
        for (command, wanted) in [
            (1, ALLOW),
            (2, ALLOW),
            (1030, ALLOW),
            (1033, ALLOW),
            (1024, EPERM),
            (1026, EACCES),
        ] {
            expect(which, "fcntl", &[3, command, 1], wanted);
        }
    }
}

#[test]
fn unpacking_has_files_and_nothing_else() {
    let refused = "execve execveat fork vfork clone socket socketpair connect bind listen accept \
        accept4 sendto sendmsg sendmmsg recvfrom recvmsg recvmmsg chmod fchmod fchmodat fchmodat2 \
        chown lchown fchown fchownat utime utimes futimesat setxattr lsetxattr fsetxattr setxattrat \
        removexattr fremovexattr";
    for call in refused.split_whitespace() {
        expect(UNPACK, call, &[], EPERM);
        expect(UNPACK, call, &[1, 1, 0, 0, 0, 0], EPERM);
    }
    expect(UNPACK, "utimensat", &[3, 0, POINTER, 0], ALLOW);
    for path in [POINTER, 1, HIGH, 1 << 63] {
        expect(UNPACK, "utimensat", &[3, path, POINTER, 0], EPERM);
    }
    for call in [
        "read",
        "write",
        "openat",
        "mkdirat",
        "symlinkat",
        "linkat",
        "exit_group",
        "futex",
    ] {
        expect(UNPACK, call, &[], ALLOW);
    }
}
