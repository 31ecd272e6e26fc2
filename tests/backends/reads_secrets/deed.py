"""Reads files and lists folders that belong to the user, in every way that Python offers."""

import ctypes
import os
import struct
import subprocess

import calls
from attempts import Attempts


def through_link(path):
    link = "link-%s" % abs(hash(path))
    os.symlink(path, link)
    with open(link, "rb") as file:
        return file.read()


def through_path_descriptor(path):
    with open("/proc/self/fd/%d" % os.open(path, os.O_PATH), "rb") as file:
        return file.read()


def through_compiler(path):
    """A deputy: the compiler reads what a source names, and repeats what it does not understand."""
    with open("deputy.c", "w") as source:
        source.write('#include "%s"\n' % path)
    return subprocess.run(["cc", "-E", "-P", "deputy.c"], capture_output=True).stdout


def by_handle(handle):
    """Opens a file by the number that its file system has for it; the folder at hand names the file system."""
    content = bytes.fromhex(handle["bytes"])
    known = ctypes.create_string_buffer(struct.pack("=Ii", len(content), handle["type"]) + content)
    opened = calls.syscall("open_by_handle_at", os.open(".", os.O_RDONLY), known, os.O_RDONLY)
    return os.read(opened, 100)


def do(targets):
    tried = Attempts()
    for path in targets["plainly"]:
        tried("read " + path, lambda: open(path, "rb").read())
    tried("link", through_link, targets["through a link"])
    tried("descriptor", through_path_descriptor, targets["through a descriptor"])
    tried("program", subprocess.check_output, ["/bin/cat", targets["through a program"]])
    if "through a compiler" in targets:
        tried("compiler", through_compiler, targets["through a compiler"])
    if "by handle" in targets:
        tried("handle", by_handle, targets["by handle"])
    tried("list", os.listdir, targets["listed"])
    return tried
