"""Exchanges a socket of its own, and the folder of one, with links to the user's while it connects."""

import os
import signal
import socket

import calls

AT_FDCWD = -100
RENAME_EXCHANGE = 2
ROUNDS = 10000


def exchanging(pairs):
    """Starts the process that exchanges each pair for ever; returns its pid."""
    child = os.fork()
    if child == 0:
        while True:
            for one, other in pairs:
                calls.libc.renameat2(AT_FDCWD, one.encode(), AT_FDCWD, other.encode(), RENAME_EXCHANGE)
    return child


def listening(path):
    own = socket.socket(socket.AF_UNIX)
    own.bind(path)
    own.listen(64)
    own.setblocking(False)
    return own


def arrived(own):
    try:
        own.accept()[0].close()
        return 1
    except OSError:
        return 0


def do(targets):
    os.mkdir("folder")
    owns = [listening("socket"), listening("folder/socket")]
    os.symlink(targets["socket"], "to-socket")
    os.symlink(targets["folder"], "to-folder")
    child = exchanging([("socket", "to-socket"), ("folder", "to-folder")])
    reached = [0, 0]
    refused = 0
    try:
        for number in range(ROUNDS):
            with socket.socket(socket.AF_UNIX) as sender:
                try:
                    sender.connect(("socket", "folder/socket")[number % 2])
                except OSError:
                    refused += 1
            reached = [count + arrived(own) for count, own in zip(reached, owns)]
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    # Both names were caught in both states, or the exchange was no exchange.
    assert all(reached), (reached, refused)
    return {"own": reached, "refused": refused}
