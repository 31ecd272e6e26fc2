"""Leaves its own root through what other processes hold: their descriptors, working folders and roots."""

import os

from attempts import Attempts

UP = "../" * 20


def through(door, path):
    with open("%s/%s%s" % (door, UP, path.lstrip("/")), "rb") as file:
        return file.read()


def doors(kind):
    """The doors of one kind of the processes above this one, and of this one."""
    for pid in (1, os.getppid(), os.getpid()):
        folder = "/proc/%d/%s" % (pid, kind)
        if kind != "fd":
            yield folder
            continue
        # Not listed but tried: a folder that may not be listed may still be walked through.
        for number in range(64):
            yield "%s/%d" % (folder, number)


def do(targets):
    tried = Attempts()
    # In the control, something that leads up; a build has only what others hold.
    os.open(".", os.O_RDONLY)
    for kind, path in targets.items():
        for door in doors(kind):
            try:
                tried[kind] = through(door, path).decode()
                break
            except OSError:
                pass
    return tried
