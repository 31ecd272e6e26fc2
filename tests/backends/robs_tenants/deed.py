"""Goes after another build of the same cache while that one runs: its scratch, its source, its wheel.

What is found is told backwards: the text itself stands in the cache, where the test would find it anyway.
"""

import os
import re

from attempts import Attempts

SECRET = re.compile(rb"decoy[0-9a-f]{16}")


def backwards(text):
    return [word[::-1].decode() for word in SECRET.findall(text)]


def read(path):
    with open(path, "rb") as file:
        return backwards(file.read())


def read_scratch(folder):
    found = []
    for place, _folders, names in os.walk(folder):
        for name in names:
            found += read(os.path.join(place, name))
    return found


def list_names(folder):
    return backwards(b"\n".join(os.fsencode(name) for name in os.listdir(folder)))


def plant(folder):
    with open(os.path.join(folder, "planted"), "w") as file:
        file.write("planted")


def poison(path):
    with open(path, "ab") as file:
        file.write(b"poison")


def do(targets):
    tried = Attempts()
    tried("scratch", read_scratch, targets["scratch"])
    tried("names", list_names, targets["scratch"])
    tried("source", read, targets["source"])
    tried("wheel", read, targets["wheel"])
    tried("plant", plant, targets["scratch"])
    tried("poison", poison, targets["wheel"])
    return tried
