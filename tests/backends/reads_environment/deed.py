"""Collects environment variables: its own, those of its ancestors, those of every process it can see."""

import os

from attempts import Attempts


def environ(pid):
    with open("/proc/%s/environ" % pid, "rb") as file:
        return file.read()


def do(targets):
    tried = Attempts()
    tried["own"] = dict(os.environ)
    tried("self", environ, "self")
    for pid in tried("processes", os.listdir, "/proc") or []:
        if isinstance(tried["processes"], list) and pid.isdigit():
            tried(pid, environ, pid)
    return tried
