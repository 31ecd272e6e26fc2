"""A PEP 517 backend that lives in the source tree and needs nothing but Python.

Where the tree holds a `deed.py`, the deed is done first. What it got hold of goes into the wheel and to
standard output, so that the test finds it wherever it may have come through; the outcome that the deed
itself sees is printed for people and never a verdict.
"""

import email.parser
import json
import os

import wheel_file


def project():
    """Returns name and version from PKG-INFO."""
    with open("PKG-INFO", encoding="utf-8") as text:
        headers = email.parser.HeaderParser().parse(text)
    return headers["Name"], headers["Version"]


def spoils():
    """Does the deed, if there is one."""
    if not os.path.exists("deed.py"):
        return {}
    import deed

    with open("targets.json", encoding="utf-8") as text:
        targets = json.load(text)
    found = deed.do(targets)
    print("deed:", json.dumps(found), flush=True)
    return {"spoils.json": json.dumps(found).encode()}


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    files = spoils()
    name, version = project()
    return wheel_file.write(wheel_directory, name, version, files)
