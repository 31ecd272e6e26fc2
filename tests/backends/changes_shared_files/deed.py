"""Changes what builds share: the build environment and everything in the cache that it can name.

What it may read it also changes by descriptor, which no path rule sees.
"""

import os
import sys

from attempts import Attempts


def by_descriptor(path):
    descriptor = os.open(path, os.O_RDONLY)
    tried = Attempts()
    tried("mode", os.fchmod, descriptor, 0o777)
    tried("times", os.utime, descriptor, (1, 1))
    tried("attribute", os.setxattr, descriptor, "user.stolen", b"1")
    tried("owner", os.fchown, descriptor, os.getuid(), os.getgid())
    return tried


def write_through_hard_link(path, name):
    os.link(path, name)
    with open(name, "ab") as file:
        file.write(b"stolen")


def write(path):
    with open(path, "ab") as file:
        file.write(b"stolen")


def plant(folder):
    with open(os.path.join(folder, "planted.pth"), "w") as file:
        file.write("import os\n")


def everything_below(root):
    for folder, _names, files in os.walk(root):
        yield folder
        for name in files:
            yield os.path.join(folder, name)


def do(targets):
    tried = Attempts()
    outcomes = {}
    for root in (root or sys.prefix for root in targets["roots"]):
        for number, path in enumerate(everything_below(root)):
            if os.path.islink(path):
                continue
            one = Attempts()
            one("times", os.utime, path, (1, 1))
            one("mode", os.chmod, path, 0o777)
            one("owner", os.chown, path, os.getuid(), os.getgid())
            one("attribute", os.setxattr, path, "user.stolen", b"1")
            one("descriptor", by_descriptor, path)
            if os.path.isdir(path):
                one("plant", plant, path)
            else:
                one("hard link", write_through_hard_link, path, "hard-%d" % number)
                one("write", write, path)
            outcomes[path] = one
    tried["paths"] = len(outcomes)
    tried["first"] = next(iter(outcomes.items()), None) and str(next(iter(outcomes.items())))
    return tried
