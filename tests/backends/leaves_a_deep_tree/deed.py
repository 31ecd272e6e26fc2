"""Leaves a tree behind that is deeper than any path can tell."""

import os


def do(targets):
    here = os.open(".", os.O_RDONLY)
    for _ in range(targets["depth"]):
        os.mkdir(targets["name"])
        os.chdir(targets["name"])
    os.fchdir(here)
    return {}
