"""Changes mode, owner, times and attributes by every call that can, each on a file of its own.

An owner is set to what it is: whoever is allowed to call it at all leaves a new time of change.
"""

import ctypes
import os
import struct

import calls
from attempts import Attempts

AT_FDCWD = -100
AT_EMPTY_PATH = 0x1000
EPOCH = struct.pack("=qqqq", 1, 0, 1, 0)


def name(path):
    return path.encode()


def pinned(path):
    return os.open(path, os.O_PATH)


def opened(path):
    return os.open(path, os.O_RDONLY)


def own():
    return os.getuid(), os.getgid()


def xattr_args(value):
    """`struct xattr_args`; the value is kept alive by the caller."""
    return struct.pack("=QII", ctypes.addressof(value), len(value.raw) - 1, 0)


def setxattrat(path):
    value = ctypes.create_string_buffer(b"1")
    calls.syscall("setxattrat", AT_FDCWD, name(path), 0, b"user.stolen", xattr_args(value), 16)


WAYS = {
    # Modes.
    "chmod": lambda path: os.chmod(path, 0o666),
    "fchmod": lambda path: os.fchmod(opened(path), 0o666),
    "fchmod of a pinned file": lambda path: os.chmod("/proc/self/fd/%d" % pinned(path), 0o666),
    "fchmod by /dev/fd": lambda path: os.chmod("/dev/fd/%d" % opened(path), 0o666),
    "fchmodat": lambda path: os.chmod(os.path.basename(path), 0o666, dir_fd=pinned(os.path.dirname(path))),
    "fchmodat2": lambda path: calls.syscall("fchmodat2", AT_FDCWD, name(path), 0o666, 0),
    "fchmodat2 without a name": lambda path: calls.syscall("fchmodat2", pinned(path), b"", 0o666, AT_EMPTY_PATH),
    # Owners.
    "chown": lambda path: os.chown(path, *own()),
    "lchown": lambda path: os.lchown(path, *own()),
    "fchown": lambda path: os.fchown(opened(path), *own()),
    "fchownat": lambda path: os.chown(os.path.basename(path), *own(), dir_fd=pinned(os.path.dirname(path))),
    "fchownat without a name": lambda path: calls.checked(
        calls.libc.fchownat(pinned(path), b"", *own(), AT_EMPTY_PATH)),
    # Times.
    "utimensat": lambda path: os.utime(path, (1, 1)),
    "utimensat to now": lambda path: os.utime(path),
    "utimensat of no link": lambda path: os.utime(path, (1, 1), follow_symlinks=False),
    "futimens": lambda path: os.utime(opened(path), (1, 1)),
    "utimensat without a name": lambda path: calls.syscall("utimensat", pinned(path), b"", EPOCH, AT_EMPTY_PATH),
    "utime": lambda path: calls.syscall("utime", name(path), EPOCH),
    "utimes": lambda path: calls.syscall("utimes", name(path), EPOCH),
    "futimesat": lambda path: calls.syscall("futimesat", AT_FDCWD, name(path), EPOCH),
    # Attributes.
    "setxattr": lambda path: os.setxattr(path, "user.stolen", b"1"),
    "lsetxattr": lambda path: os.setxattr(path, "user.stolen", b"1", follow_symlinks=False),
    "fsetxattr": lambda path: os.setxattr(opened(path), "user.stolen", b"1"),
    "setxattrat": setxattrat,
    "removexattr": lambda path: os.removexattr(path, "user.mark"),
    "lremovexattr": lambda path: os.removexattr(path, "user.mark", follow_symlinks=False),
    "fremovexattr": lambda path: os.removexattr(opened(path), "user.mark"),
    "removexattrat": lambda path: calls.syscall("removexattrat", AT_FDCWD, name(path), 0, b"user.mark"),
}


def touch(path):
    """Sets everything of a file to what it is: the time of change alone tells that it was done."""
    found = os.stat(path)
    tried = Attempts()
    tried("chmod", os.chmod, path, found.st_mode & 0o7777)
    tried("chown", os.chown, path, found.st_uid, found.st_gid)
    tried("utime", lambda: os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns)))
    descriptor = tried("open", os.open, path, os.O_RDONLY)
    if isinstance(descriptor, int):
        tried("fchmod", os.fchmod, descriptor, found.st_mode & 0o7777)
        tried("fchown", os.fchown, descriptor, found.st_uid, found.st_gid)
        tried("futimens", lambda: os.utime(descriptor, ns=(found.st_atime_ns, found.st_mtime_ns)))
    return tried


def do(targets):
    tried = Attempts()
    for way, path in targets["ways"].items():
        tried(way, WAYS[way], path)
    for path in targets["touched"]:
        tried(path, touch, path)
    return tried
