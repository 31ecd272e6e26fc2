"""Leaves processes behind: forked twice, in sessions of their own, deaf to polite signals."""

import os
import signal
import time

from attempts import Attempts


def daemon():
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    for descriptor in (0, 1, 2):
        os.close(descriptor)
    while True:
        time.sleep(600)


def do(targets):
    tried = Attempts()
    for number in range(targets["number"]):
        tried("daemon %d" % number, daemon)
    return tried
