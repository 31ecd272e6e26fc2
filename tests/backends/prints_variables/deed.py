"""Prints the variables that it was given, so that they stand in the log."""

import os


def do(targets):
    for name in targets["names"]:
        print("found:", os.environ.get(name), flush=True)
    return {}
