"""Ends other processes of the same user by every way to send a signal."""

import fcntl
import os
import signal

import calls
from attempts import Attempts


def by_descriptor(pid):
    signal.pidfd_send_signal(os.pidfd_open(pid), signal.SIGKILL)


def by_queue(pid):
    calls.checked(calls.libc.sigqueue(pid, signal.SIGTERM, None))


def by_owner(pid):
    """Makes another process the owner of a pipe, which is told by a signal that it can be read."""
    reading, writing = os.pipe()
    fcntl.fcntl(reading, fcntl.F_SETOWN, pid)
    fcntl.fcntl(reading, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
    os.write(writing, b"x")


def do(targets):
    tried = Attempts()
    tried("kill", os.kill, targets["kill"], signal.SIGKILL)
    tried("descriptor", by_descriptor, targets["descriptor"])
    tried("queue", by_queue, targets["queue"])
    tried("owner", by_owner, targets["owner"])
    tried("stop", os.kill, targets["stop"], signal.SIGSTOP)
    # Each of them leads a group of its own; whoever may signal a group may signal everybody.
    tried("group", os.killpg, targets["group"], signal.SIGKILL)
    return tried
