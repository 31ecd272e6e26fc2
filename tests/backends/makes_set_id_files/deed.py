"""Makes files with the set-user-id bit by every call that takes a mode, and waits so that the test can look."""

import ctypes
import os
import stat
import struct

import calls
import hold
from attempts import Attempts

MODE = 0o6755
AT_FDCWD = -100


def make(name):
    with open(name, "w"):
        pass
    return name


def by_open():
    os.close(os.open("by-open", os.O_CREAT | os.O_WRONLY, MODE))


def by_creat():
    os.close(calls.checked(calls.libc.creat(b"by-creat", MODE)))


def by_openat2():
    how = ctypes.create_string_buffer(struct.pack("QQQ", os.O_CREAT | os.O_WRONLY, MODE, 0), 24)
    os.close(calls.syscall("openat2", AT_FDCWD, b"by-openat2", how, 24))


def by_mknod():
    os.mknod("by-mknod", stat.S_IFREG | MODE)


def by_chmod():
    os.chmod(make("by-chmod"), MODE)


def by_fchmod():
    with open(make("by-fchmod")) as file:
        os.fchmod(file.fileno(), MODE)


def by_fchmodat2():
    calls.syscall("fchmodat2", AT_FDCWD, make("by-fchmodat2").encode(), MODE, 0)



def do(targets):
    os.umask(0)
    tried = Attempts()
    for act in (by_open, by_creat, by_openat2, by_mknod, by_chmod, by_fchmod, by_fchmodat2):
        tried(act.__name__, act)
    hold.until_released()
    return tried
