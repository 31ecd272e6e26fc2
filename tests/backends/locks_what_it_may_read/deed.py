"""Locks a file that it was given to read, and holds the lock while the test looks."""

import fcntl
import os

import hold
from attempts import Attempts


def do(targets):
    tried = Attempts()
    tried("lock", lambda: fcntl.flock(os.open(targets["path"], os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB))
    hold.until_released()
    return tried
