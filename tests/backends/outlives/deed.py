"""Leaves a daemon and waits; the test ends the program meanwhile."""

import os
import signal
import time

import hold
from attempts import Attempts


def daemon():
    if os.fork():
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    for descriptor in (0, 1, 2):
        os.close(descriptor)
    time.sleep(600)
    os._exit(0)


def do(targets):
    tried = Attempts()
    tried("daemon", daemon)
    hold.until_released()
    return tried
