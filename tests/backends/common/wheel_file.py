"""Writes a wheel with the standard library alone, correct unless asked otherwise."""

import base64
import hashlib
import os
import zipfile


def digest(content):
    """Returns the RECORD form of a SHA-256."""
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def metadata(name, version):
    return ("Metadata-Version: 2.1\nName: %s\nVersion: %s\n" % (name, version)).encode()


def parts(name, version, files):
    """Returns the members of a correct wheel without its RECORD, in order."""
    folder = "%s-%s.dist-info" % (name.replace("-", "_"), version)
    members = {"%s.py" % name.replace("-", "_"): b"word = 'hello'\n"}
    members.update({path: content for path, content in (files or {}).items()})
    members[folder + "/METADATA"] = metadata(name, version)
    members[folder + "/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: fixture\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    return folder, members


def record(folder, members):
    """Returns the text of a correct RECORD."""
    rows = ["%s,%s,%d" % (path, digest(content), len(content)) for path, content in members.items()]
    return "".join(row + "\n" for row in rows + [folder + "/RECORD,,"])


def pack(path, members):
    """Writes the members to a zip file with fixed times."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)


def filename(name, version):
    return "%s-%s-py3-none-any.whl" % (name.replace("-", "_"), version)


def write(directory, name, version, files=None):
    """Writes a correct wheel into a folder and returns its file name."""
    folder, members = parts(name, version, files)
    members[folder + "/RECORD"] = record(folder, members).encode()
    pack(os.path.join(directory, filename(name, version)), members)
    return filename(name, version)
