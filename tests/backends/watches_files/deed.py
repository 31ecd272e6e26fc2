"""Watches a folder of the user and learns the names of what is made there."""

import os
import select

import calls
import hold
from attempts import Attempts

IN_CREATE = 0x100


def watch(folder):
    watcher = calls.checked(calls.libc.inotify_init())
    calls.checked(calls.libc.inotify_add_watch(watcher, folder.encode(), IN_CREATE))
    return watcher


def events(watcher):
    return os.read(watcher, 4096) if select.select([watcher], [], [], 5)[0] else b""


def do(targets):
    tried = Attempts()
    watcher = tried("watch", watch, targets["watched"])
    hold.until_released()
    if isinstance(watcher, int):
        tried("events", events, watcher)
    return tried
