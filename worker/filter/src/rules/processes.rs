//! New processes, new privileges and other processes, in every stage. Not here: starting a program
//! at all, which the unpack stage refuses.

use libc::{EBUSY, ENOSYS, EPERM};

use super::{Rule, Test, argument, refuse, refuse_when};

/// All `CLONE_NEW*` flags that fit clone; `CLONE_NEWTIME` exists for clone3 and unshare alone.
const NEW_NAMESPACES: u32 = 0x7e02_0000;
const SECCOMP_NEW_LISTENER: u32 = 8;
const PERSONALITY_QUERY: u32 = 0xffff_ffff;
const PRIORITY_OF_PROCESS: u32 = 0;
const IO_PRIORITY_OF_PROCESS: u32 = 1;

/// Every stage.
pub(crate) const RULES: &[Rule] = &[
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
];
