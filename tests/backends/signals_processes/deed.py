"""Ends other processes of the same user by every way to send a signal."""

import os
import signal

import calls
from attempts import Attempts


def by_descriptor(pid):
    signal.pidfd_send_signal(os.pidfd_open(pid), signal.SIGKILL)


def by_queue(pid):
    calls.checked(calls.libc.sigqueue(pid, signal.SIGTERM, None))


def do(targets):
    tried = Attempts()
    tried("kill", os.kill, targets["kill"], signal.SIGKILL)
    tried("descriptor", by_descriptor, targets["descriptor"])
    tried("queue", by_queue, targets["queue"])
    tried("stop", os.kill, targets["stop"], signal.SIGSTOP)
    return tried
