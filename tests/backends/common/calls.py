"""System calls that Python has no function for."""

import ctypes
import os
import platform

_X86_64 = {
    "add_key": 248, "clone": 56, "clone3": 435, "fchmodat2": 452, "ioprio_get": 252, "ioprio_set": 251, "keyctl": 250,
    "landlock_create_ruleset": 444, "mknodat": 259, "openat2": 437, "pidfd_getfd": 438, "process_vm_readv": 310,
    "prctl": 157, "ptrace": 101, "request_key": 249, "seccomp": 317, "unshare": 272, "setns": 308, "mount": 165,
    "umount2": 166, "pivot_root": 155, "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsmount": 432,
    "mount_setattr": 442, "utime": 132, "utimes": 235, "futimesat": 261, "utimensat": 280, "setxattrat": 463,
    "removexattrat": 466, "io_uring_setup": 425, "bpf": 321, "userfaultfd": 323, "perf_event_open": 298,
    "fanotify_init": 300, "memfd_secret": 447, "name_to_handle_at": 303, "open_by_handle_at": 304,
}
_AARCH64 = {
    "add_key": 217, "clone": 220, "clone3": 435, "fchmodat2": 452, "ioprio_get": 31, "ioprio_set": 30, "keyctl": 219,
    "landlock_create_ruleset": 444, "mknodat": 33, "openat2": 437, "pidfd_getfd": 438, "process_vm_readv": 270,
    "prctl": 167, "ptrace": 117, "request_key": 218, "seccomp": 277, "unshare": 97, "setns": 268, "mount": 40,
    "umount2": 39, "pivot_root": 41, "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsmount": 432,
    "mount_setattr": 442, "utimensat": 88, "setxattrat": 463, "removexattrat": 466, "io_uring_setup": 425, "bpf": 280,
    "userfaultfd": 282, "perf_event_open": 241, "fanotify_init": 262, "memfd_secret": 447,
    "name_to_handle_at": 264, "open_by_handle_at": 265,
}
NUMBERS = {"x86_64": _X86_64, "aarch64": _AARCH64}[platform.machine()]

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long


def checked(result):
    """Returns the result of a C call or raises its errno."""
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def syscall(name, *arguments):
    """Makes a raw system call; integers, bytes and buffers are passed as the kernel wants them."""
    words = [ctypes.c_long(word) if isinstance(word, int) else word for word in arguments]
    return checked(libc.syscall(ctypes.c_long(NUMBERS[name]), *words))


def message_queue(name, flags):
    """Opens a POSIX message queue; one that is made holds one message, since queues count against a limit of the user."""
    attributes = (ctypes.c_long * 8)(0, 1, 4096)
    return checked(libc.mq_open(b"/" + name.encode(), flags, 0o600, attributes))
