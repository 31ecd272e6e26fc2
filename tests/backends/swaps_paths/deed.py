"""Changes what a name means while a call that takes the name is under way.

A second process exchanges a harmless file, folder or socket with a link to the user's, as fast as it can.
"""

import os
import signal
import socket

import calls
from attempts import Attempts

AT_FDCWD = -100
RENAME_EXCHANGE = 2
ROUNDS = 3000


def exchange(one, other):
    calls.checked(calls.libc.renameat2(AT_FDCWD, one.encode(), AT_FDCWD, other.encode(), RENAME_EXCHANGE))


def swapping(pairs):
    """Starts the process that exchanges each pair for ever; returns its pid."""
    child = os.fork()
    if child == 0:
        while True:
            for one, other in pairs:
                exchange(one, other)
    return child


def knock(path):
    with socket.socket(socket.AF_UNIX) as sender:
        sender.settimeout(2)
        sender.connect(path)


def do(targets):
    with open("file", "w"):
        pass
    os.mkdir("folder")
    with open("folder/inner", "w"):
        pass
    own = socket.socket(socket.AF_UNIX)
    own.bind("socket")
    own.listen(64)
    own.setblocking(False)
    pairs = [("file", "to-file"), ("folder", "to-folder"), ("socket", "to-socket")]
    for name, link in pairs:
        os.symlink(targets[name], link)
    child = swapping(pairs)
    tried = Attempts()
    try:
        for _ in range(ROUNDS):
            tried("file", os.chmod, "file", 0o777)
            tried("inner", os.chmod, "folder/inner", 0o777)
            tried("times", os.utime, "folder/inner", (1, 1))
            tried("socket", knock, "socket")
            try:
                own.accept()[0].close()
            except OSError:
                pass
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return tried
