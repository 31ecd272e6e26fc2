"""Changes files that it was given to read: by the file itself, by a hard link, by a descriptor, by flags."""

import array
import fcntl
import os

from attempts import Attempts

FS_IOC_GETFLAGS, FS_IOC_SETFLAGS = 0x80086601, 0x40086602
FS_NODUMP_FL = 0x40


def write(path, mode="r+"):
    with open(path, mode) as file:
        file.write("stolen")


def write_through_hard_link(path):
    os.link(path, "hard")
    write("hard")


def by_descriptor(path, act, *arguments):
    descriptor = os.open(path, os.O_RDONLY)
    return act(descriptor, *arguments)


def flag(descriptor):
    flags = array.array("l", [0])
    fcntl.ioctl(descriptor, FS_IOC_GETFLAGS, flags, True)
    flags[0] |= FS_NODUMP_FL
    fcntl.ioctl(descriptor, FS_IOC_SETFLAGS, flags, True)


def do(targets):
    tried = Attempts()
    with open(targets["written"]) as file:
        tried["read"] = file.read()
    tried("write", write, targets["written"])
    tried("append", write, targets["appended"], "a")
    tried("hard link", write_through_hard_link, targets["linked"])
    tried("remove", os.unlink, targets["removed"])
    tried("plant", write, targets["planted"], "w")
    tried("mode", by_descriptor, targets["mode"], os.fchmod, 0o777)
    tried("times", by_descriptor, targets["times"], os.utime, (1, 1))
    tried("flag", by_descriptor, targets["flag"], flag)
    return tried
