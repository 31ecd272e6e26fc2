"""Uses whatever descriptors it was started with: reads, lists, writes, sends."""

import os
import socket
import stat

from attempts import Attempts

HIGHEST = 64


def read(number):
    return os.pread(number, 100, 0)


def read_anew(number):
    with open("/proc/self/fd/%d" % number, "rb") as file:
        return file.read()


def write(number):
    if not stat.S_ISREG(os.fstat(number).st_mode):
        return None
    return os.pwrite(number, b"stolen", 0)


def send(number):
    """Only over the Internet: the build's own channels are not meant."""
    with socket.socket(fileno=os.dup(number)) as held:
        if held.family == socket.AF_INET:
            held.send(b"stolen")


def do(targets):
    tried = Attempts()
    for number in range(3, HIGHEST):
        for act in (read, read_anew, os.listdir, send, write):
            tried("%s %d" % (act.__name__, number), act, number)
    return tried
