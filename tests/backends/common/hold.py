"""Lets a test look at a running build from outside.

The build says `ready` by a file in its working folder and goes on when the test has put a file `go` there.
"""

import json
import os
import time


def wait_for(path, seconds=60):
    """Returns when the file is there; raises when it never comes."""
    deadline = time.monotonic() + seconds
    while not os.path.exists(path):
        if time.monotonic() > deadline:
            raise TimeoutError(path)
        time.sleep(0.005)


def until_released():
    """Says `ready` and waits for `go`."""
    with open("ready", "w"):
        pass
    wait_for("go")


def ask():
    """Says `ready` and returns what the test has written to `go`."""
    until_released()
    with open("go", encoding="utf-8") as text:
        return json.load(text)
