"""Changes modes, owners, times and attributes of files that it may not write."""

import os

import calls
from attempts import Attempts

AT_EMPTY_PATH = 0x1000
AT_FDCWD = -100


def by_path_descriptor(path):
    pinned = os.open(path, os.O_PATH)
    os.chmod("/proc/self/fd/%d" % pinned, 0o666)


def by_newest_call(path):
    calls.syscall("fchmodat2", AT_FDCWD, path.encode(), 0o666, 0)


def by_empty_path(path):
    calls.syscall("fchmodat2", os.open(path, os.O_PATH), b"", 0o666, AT_EMPTY_PATH)


def through_link(path):
    os.symlink(path, "link")
    os.chmod("link", 0o666)


WAYS = {
    "mode": lambda path: os.chmod(path, 0o666),
    "mode by descriptor": by_path_descriptor,
    "mode by newest call": by_newest_call,
    "mode by empty path": by_empty_path,
    "mode through a link": through_link,
    "folder": lambda path: os.chmod(path, 0o777),
    "times": lambda path: os.utime(path, (1, 1)),
    "attribute": lambda path: os.setxattr(path, "user.stolen", b"1"),
    "removed attribute": lambda path: os.removexattr(path, "user.mark"),
}


def do(targets):
    tried = Attempts()
    for way, path in targets.items():
        tried(way, WAYS[way], path)
    return tried
