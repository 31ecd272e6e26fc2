//! What belongs to the whole machine and parts of the kernel that a build has no use for, in every
//! stage. Not here: sockets (`network`).

use libc::EPERM;

use super::{Rule, refuse};

/// Every stage.
pub(crate) const RULES: &[Rule] = &[
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
