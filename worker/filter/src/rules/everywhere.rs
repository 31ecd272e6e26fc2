//! What no stage of a build may ask of the kernel. Not here: sockets and metadata, which depend on
//! the stage and on whether somebody listens.
//!
//! The answer is the one that programs are ready for: `ENOSYS` where C libraries have a fallback,
//! `ENOTTY` for requests that many file systems do not know either, otherwise `EPERM` or `EACCES`.

use libc::{EACCES, EBUSY, ENOSYS, ENOTTY, EPERM};

use super::{Action, Condition, Rule, Test, argument};

/// All `CLONE_NEW*` flags that fit clone; `CLONE_NEWTIME` exists for clone3 and unshare alone.
const NEW_NAMESPACES: u32 = 0x7e02_0000;
const SET_ID: u32 = 0o6000;
/// `O_CREAT` and the kernel's half of `O_TMPFILE`: only with one of them an open uses its mode.
const CREATES: u32 = 0o100 | 0o2000_0000;
const FILE_TYPE: u32 = 0o170_000;
const CHARACTER_DEVICE: u32 = 0o020_000;
const BLOCK_DEVICE: u32 = 0o060_000;
const MSG_FASTOPEN: u32 = 0x2000_0000;
const SECCOMP_NEW_LISTENER: u32 = 8;
const PERSONALITY_QUERY: u32 = 0xffff_ffff;
const PRIORITY_OF_PROCESS: u32 = 0;
const IO_PRIORITY_OF_PROCESS: u32 = 1;
const F_SETLEASE: u32 = 1024;
const F_NOTIFY: u32 = 1026;
const TIOCSTI: u32 = 0x5412;
const TIOCLINUX: u32 = 0x541c;
const TIOCSETD: u32 = 0x5423;
const FS_IOC_SETFLAGS: u32 = 0x4008_6602;
const FS_IOC_SETVERSION: u32 = 0x4008_7602;
const FS_IOC_FSSETXATTR: u32 = 0x401c_5820;
const FS_IOC_ENABLE_VERITY: u32 = 0x4080_6685;

/// Refuses calls whatever their arguments are.
const fn refuse(calls: &'static [&'static str], errno: i32, why: &'static str) -> Rule {
    Rule {
        calls,
        when: &[],
        action: Action::Errno(errno),
        why,
    }
}

/// Refuses calls when all conditions hold.
const fn refuse_when(
    calls: &'static [&'static str],
    when: &'static [Condition],
    errno: i32,
    why: &'static str,
) -> Rule {
    Rule {
        calls,
        when,
        action: Action::Errno(errno),
        why,
    }
}

/// Tried first in the program stage, after its own rules in the unpack stage.
pub(super) const RULES: &[Rule] = &[
    // New processes and privileges.
    refuse(
        &["unshare", "setns"],
        EPERM,
        "a new user namespace would give capabilities back",
    ),
    refuse_when(
        &["clone"],
        &[argument(0, Test::AnyOf(NEW_NAMESPACES))],
        EPERM,
        "as unshare; every other clone passes, vfork and threads included",
    ),
    refuse(
        &["clone3"],
        ENOSYS,
        "its flags lie in memory; C libraries fall back to clone",
    ),
    refuse_when(
        &["seccomp"],
        &[argument(1, Test::AnyOf(SECCOMP_NEW_LISTENER))],
        EBUSY,
        "one listener a filter chain, and it is ours; a filter without one only narrows",
    ),
    refuse(
        &["lsm_set_self_attr"],
        EPERM,
        "a build does not choose its security label",
    ),
    refuse_when(
        &["personality"],
        &[
            argument(0, Test::IsNot(0)),
            argument(0, Test::IsNot(PERSONALITY_QUERY)),
        ],
        EPERM,
        "other personalities weaken memory layout; asking for the present one passes",
    ),
    // Other processes.
    refuse(
        &["ptrace", "process_vm_readv", "process_vm_writev"],
        EPERM,
        "reads and writes another process",
    ),
    refuse(
        &["pidfd_getfd", "kcmp"],
        EPERM,
        "takes or compares another process's descriptors",
    ),
    refuse(
        &["process_madvise", "process_mrelease"],
        EPERM,
        "changes the memory of another process",
    ),
    refuse_when(
        &[
            "prlimit64",
            "sched_setaffinity",
            "sched_setattr",
            "sched_setparam",
            "sched_setscheduler",
        ],
        &[argument(0, Test::IsNot(0))],
        EPERM,
        "Landlock lets a build change the limits and the schedule of others; zero is itself",
    ),
    refuse_when(
        &["setpriority"],
        &[argument(0, Test::IsNot(PRIORITY_OF_PROCESS))],
        EPERM,
        "a group or a user is more than the build",
    ),
    refuse_when(
        &["ioprio_set"],
        &[argument(0, Test::IsNot(IO_PRIORITY_OF_PROCESS))],
        EPERM,
        "a group or a user is more than the build",
    ),
    refuse_when(
        &["setpriority", "ioprio_set"],
        &[argument(1, Test::IsNot(0))],
        EPERM,
        "only its own priority; zero is itself",
    ),
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
    refuse_when(
        &["ioctl"],
        &[argument(1, Test::Is(FS_IOC_SETFLAGS))],
        ENOTTY,
        "changes inode flags through a descriptor opened for reading",
    ),
    refuse_when(
        &["ioctl"],
        &[argument(1, Test::Is(FS_IOC_FSSETXATTR))],
        ENOTTY,
        "changes inode flags through a descriptor opened for reading",
    ),
    refuse_when(
        &["ioctl"],
        &[argument(1, Test::Is(FS_IOC_SETVERSION))],
        ENOTTY,
        "changes an inode's generation through a descriptor opened for reading",
    ),
    refuse_when(
        &["ioctl"],
        &[argument(1, Test::Is(FS_IOC_ENABLE_VERITY))],
        ENOTTY,
        "makes a file unwritable for ever through a descriptor opened for reading",
    ),
    refuse_when(
        &["ioctl"],
        &[argument(1, Test::Is(TIOCSTI))],
        EPERM,
        "types into a terminal that was left open",
    ),
    refuse_when(
        &["ioctl"],
        &[argument(1, Test::Is(TIOCLINUX))],
        EPERM,
        "pastes into a console that was left open",
    ),
    refuse_when(
        &["ioctl"],
        &[argument(1, Test::Is(TIOCSETD))],
        EPERM,
        "loads line disciplines, a door to old drivers",
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
    // Network past its own rules.
    refuse_when(
        &["sendto", "sendmmsg"],
        &[argument(3, Test::AnyOf(MSG_FASTOPEN))],
        EACCES,
        "Fast Open connects without a connect",
    ),
    refuse_when(
        &["sendmsg"],
        &[argument(2, Test::AnyOf(MSG_FASTOPEN))],
        EACCES,
        "Fast Open connects without a connect",
    ),
    // Names shared with the host.
    refuse(
        &[
            "shmget",
            "shmat",
            "shmctl",
            "shmdt",
            "semget",
            "semop",
            "semctl",
            "semtimedop",
            "msgget",
            "msgsnd",
            "msgrcv",
            "msgctl",
        ],
        EPERM,
        "System V objects belong to all processes of the host",
    ),
    refuse(
        &[
            "mq_open",
            "mq_unlink",
            "mq_timedsend",
            "mq_timedreceive",
            "mq_notify",
            "mq_getsetattr",
        ],
        EPERM,
        "message queues belong to all processes of the host",
    ),
    refuse(
        &["add_key", "request_key", "keyctl"],
        EPERM,
        "keyrings hold the user's secrets",
    ),
    // The machine.
    refuse(
        &["settimeofday", "clock_settime", "adjtimex", "clock_adjtime"],
        EPERM,
        "the clock is the host's",
    ),
    refuse(
        &["sethostname", "setdomainname"],
        EPERM,
        "the name is the host's",
    ),
    refuse(
        &["reboot", "kexec_load", "kexec_file_load"],
        EPERM,
        "ends the running kernel",
    ),
    refuse(
        &[
            "create_module",
            "init_module",
            "finit_module",
            "delete_module",
            "get_kernel_syms",
            "query_module",
        ],
        EPERM,
        "changes the running kernel",
    ),
    refuse(&["syslog"], EPERM, "the kernel's log tells about others"),
    refuse(
        &["iopl", "ioperm", "modify_ldt"],
        EPERM,
        "the processor's own doors",
    ),
    refuse(&["vhangup"], EPERM, "hangs up the terminal"),
    // Parts of the kernel with many flaws in the past and no use in a build.
    refuse(&["bpf"], EPERM, "programs inside the kernel"),
    refuse(
        &["perf_event_open"],
        EPERM,
        "measures other processes and the kernel",
    ),
    refuse(
        &["userfaultfd"],
        EPERM,
        "stops the kernel in the middle of a copy",
    ),
    refuse(
        &["io_uring_setup", "io_uring_enter", "io_uring_register"],
        EPERM,
        "carries out calls that a filter never sees; libraries fall back",
    ),
    refuse(
        &["memfd_secret"],
        EPERM,
        "memory that no limit counts and no supervisor reads",
    ),
    refuse(
        &["vmsplice"],
        EPERM,
        "lends pages to pipes; splice and tee pass",
    ),
    refuse(
        &[
            "mbind",
            "set_mempolicy",
            "set_mempolicy_home_node",
            "migrate_pages",
            "move_pages",
        ],
        EPERM,
        "places memory on a machine that others share; asking passes",
    ),
    refuse(
        &["lookup_dcookie", "uselib", "ustat", "nfsservctl", "_sysctl"],
        EPERM,
        "left over from kernels long gone",
    ),
];
