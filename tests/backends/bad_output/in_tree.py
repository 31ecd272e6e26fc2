"""A backend that makes a wheel with one fault: targets.json names it."""

import json
import os
import shutil
import socket
import time
import zipfile

import wheel_file

NAME, VERSION = "bad-output", "1.0"
FOLDER = "bad_output-1.0.dist-info"
FILENAME = wheel_file.filename(NAME, VERSION)

with open("targets.json", encoding="utf-8") as text:
    targets = json.load(text)


def good(directory, filename=FILENAME):
    wheel_file.write(directory, NAME, VERSION)
    os.rename(os.path.join(directory, FILENAME), os.path.join(directory, filename))
    return filename


def with_members(directory, change, filename=FILENAME, record=None):
    """Writes a wheel whose members were changed; RECORD fits unless it is changed as well."""
    folder, members = wheel_file.parts(NAME, VERSION, {})
    change(members)
    text = wheel_file.record(folder, members)
    members[FOLDER + "/RECORD"] = (record(text) if record else text).encode()
    wheel_file.pack(os.path.join(directory, filename), members)
    return filename


def file_fault(directory, make):
    """Lets something that is no file stand where the wheel should be."""
    make(os.path.join(directory, FILENAME))
    return FILENAME


def make_socket(path):
    os.chdir(os.path.dirname(path))
    socket.socket(socket.AF_UNIX).bind(os.path.basename(path))


def link_inside(directory):
    wheel_file.write(os.getcwd(), NAME, VERSION)
    os.symlink(os.path.join(os.getcwd(), FILENAME), os.path.join(directory, FILENAME))
    return FILENAME


def hard_link(directory):
    good(directory)
    os.link(os.path.join(directory, FILENAME), os.path.join(os.path.dirname(directory), "second-name"))
    return FILENAME


def two(directory):
    good(directory)
    shutil.copy(os.path.join(directory, FILENAME), os.path.join(directory, "another-1.0-py3-none-any.whl"))
    return FILENAME


def other_project(directory):
    return wheel_file.write(directory, "another", VERSION)


def other_version(directory):
    return wheel_file.write(directory, NAME, "2.0")


def garbage(directory, content):
    with open(os.path.join(directory, FILENAME), "wb") as file:
        file.write(content)
    return FILENAME


def changes_later(directory):
    """Leaves a daemon that holds the wheel open and writes to it for as long as it lives."""
    good(directory)
    file = open(os.path.join(directory, FILENAME), "r+b")
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        time.sleep(0.001)
        while True:
            file.seek(40)
            file.write(b"changed")
            file.flush()
    return FILENAME


def changes_when_taken(directory):
    """Leaves a daemon that holds the wheel open and writes to it as soon as somebody has taken it away by its name."""
    good(directory)
    path = os.path.join(directory, FILENAME)
    file = open(path, "r+b")
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        while os.path.exists(path):
            time.sleep(0.001)
        file.seek(40)
        file.write(b"changed")
        file.flush()
        os._exit(0)
    return FILENAME


def names_another(directory):
    """Returns the path of a file that is not the build's, which it can not even read."""
    good(directory)
    return os.path.relpath(targets["outside"], directory)


def adds(path, content=b"x"):
    return lambda members: members.__setitem__(path, content)


def metadata(name, version):
    return adds(FOLDER + "/METADATA", wheel_file.metadata(name, version))


def entry_point(text):
    return adds(FOLDER + "/entry_points.txt", ("[console_scripts]\n%s\n" % text).encode())


def metadata_of():
    return wheel_file.metadata(NAME, VERSION)


def holes(directory):
    path = os.path.join(directory, FILENAME)
    with open(path, "wb") as file:
        file.truncate(64 << 20)
    return FILENAME


def set_id(directory):
    """Packs a member whose mode asks for set-uid."""
    folder, members = wheel_file.parts(NAME, VERSION, {"bad_output/tool": b"#!/bin/sh\n"})
    members[folder + "/RECORD"] = wheel_file.record(folder, members).encode()
    with zipfile.ZipFile(os.path.join(directory, FILENAME), "w") as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.external_attr = (0o104755 if name.endswith("tool") else 0o100644) << 16
            archive.writestr(info, content)
    return FILENAME


def unchanged(members):
    pass


FAULTS = {
    "nothing": good,
    "symlink": lambda d: file_fault(d, lambda path: os.symlink(targets["outside"], path)),
    "symlink-inside": link_inside,
    "fifo": lambda d: file_fault(d, os.mkfifo),
    "socket": lambda d: file_fault(d, make_socket),
    "directory": lambda d: file_fault(d, os.mkdir),
    "hard-link": hard_link,
    "none": lambda d: FILENAME,
    "two": two,
    "other-extension": lambda d: good(d, "bad_output-1.0.zip"),
    "garbage": lambda d: garbage(d, b"this is no wheel" * 100),
    "empty": lambda d: garbage(d, b""),
    "other-project": other_project,
    "other-version": other_version,
    "other-metadata-name": lambda d: with_members(d, metadata("another", VERSION)),
    "other-metadata-version": lambda d: with_members(d, metadata(NAME, "2.0")),
    "other-tags": lambda d: good(d, "bad_output-1.0-cp27-cp27mu-win32.whl"),
    "no-metadata": lambda d: with_members(d, lambda members: members.pop(FOLDER + "/METADATA")),
    "no-record": lambda d: wheel_file.pack(os.path.join(d, FILENAME), wheel_file.parts(NAME, VERSION, {})[1]) or FILENAME,
    "wrong-digest": lambda d: with_members(d, unchanged, record=lambda text: text.replace("sha256=", "sha256=A", 1)),
    "unrecorded": lambda d: with_members(d, unchanged, record=lambda text: text.split("\n", 1)[1]),
    "recorded-twice": lambda d: with_members(d, unchanged, record=lambda text: "missing.py,sha256=x,1\n" + text),
    "traversal": lambda d: with_members(d, adds("../climbs.py")),
    "absolute": lambda d: with_members(d, adds("/absolute.py")),
    "data-traversal": lambda d: with_members(d, adds("bad_output-1.0.data/scripts/../../../climbs")),
    "entry-point-path": lambda d: with_members(d, entry_point("../climbs = bad_output:main")),
    "entry-point-shell": lambda d: with_members(d, entry_point("run = bad_output:main;import os")),
    "sparse": lambda d: holes(d),
    "bomb": lambda d: with_members(d, adds(FOLDER + "/METADATA", metadata_of() + b"x" * (5 << 20))),
    "lies": lambda d: good(d) and print("wrote other-1.0-py3-none-any.whl") or "other-1.0-py3-none-any.whl",
    "returns-a-path": lambda d: os.path.join("..", good(d)),
    "two-dist-infos": lambda d: with_members(d, adds("Bad.Output-1.0.dist-info/METADATA", metadata_of())),
    "sitecustomize": lambda d: with_members(d, adds("sitecustomize.py")),
    "start": lambda d: with_members(d, adds("a.start")),
    "others-name": lambda d: with_members(d, adds("setuptools/__init__.py")),
    "others-dist-info": lambda d: with_members(d, adds("pip-99.0.dist-info/METADATA", wheel_file.metadata("pip", "99.0"))),
    "machine-code": lambda d: with_members(d, adds("bad_output/lib.so", b"\x7fELF")),
    "data": lambda d: with_members(d, adds("bad_output-1.0.data/data/etc/x.conf")),
    "set-id": set_id,
    "pth": lambda d: with_members(d, adds("start.pth", b"import os\n")),
    "changes-later": changes_later,
    "changes-when-taken": changes_when_taken,
    "names-another": names_another,
}


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    return FAULTS[targets["fault"]](wheel_directory)
