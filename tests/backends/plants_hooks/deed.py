"""Plants what others run later in the checkout that is built: a hook of git, a setting of git, code, a new file.

It is looked for where the build works and where the checkout is said to lie.
"""

import os

from attempts import Attempts


def plant(path):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "a") as file:
        file.write("#!/bin/sh\n")
    os.chmod(path, 0o755)


def do(targets):
    tried = Attempts()
    for name in targets["names"]:
        tried(name + " here", plant, os.path.join(os.getcwd(), name))
        tried(name + " there", plant, os.path.join(targets["checkout"], name))
    return tried
