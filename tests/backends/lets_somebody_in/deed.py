"""Listens on an abstract name for somebody outside, and waits so that the test can call."""

import socket

import hold
from attempts import Attempts

kept = []


def listen(name):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("\0" + name)
    listener.listen(4)
    kept.append(listener)


def do(targets):
    tried = Attempts()
    tried("listen", listen, targets["name"])
    hold.until_released()
    return tried
