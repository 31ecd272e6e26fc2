"""Asks an interpreter about itself: `python -I -S -c <this> ANSWER [ENVIRONMENT]`.

Writes one JSON document to ANSWER and prints nothing. It runs confined: no network, no /proc,
nothing but the installation readable, no other process. pip is read, never imported.
"""

import ast
import glob
import json
import os
import platform
import re
import struct
import sys
import sysconfig
import urllib.parse
import zipfile

LARGEST = 1 << 20


def full_version(info):
    text = "%d.%d.%d" % (info.major, info.minor, info.micro)
    if info.releaselevel != "final":
        text += info.releaselevel[0] + str(info.serial)
    return text


def markers():
    uname = os.uname()
    return {
        "implementation_name": sys.implementation.name,
        "implementation_version": full_version(sys.implementation.version),
        "os_name": os.name,
        "platform_machine": uname.machine,
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": uname.release,
        "platform_system": uname.sysname,
        "platform_version": uname.version,
        "python_full_version": full_version(sys.version_info),
        "python_version": "%d.%d" % sys.version_info[:2],
        "sys_platform": sys.platform,
    }


def program_interpreter(path):
    """Returns the loader that an ELF program names (PT_INTERP)."""
    with open(path, "rb") as file:
        start = file.read(64)
        if len(start) < 52 or start[:4] != b"\x7fELF" or start[4] not in (1, 2):
            return None
        order = "<" if start[5] == 1 else ">"
        if start[4] == 2:
            offset, size, count = (
                struct.unpack_from(order + "Q", start, 32)[0],
                struct.unpack_from(order + "H", start, 54)[0],
                struct.unpack_from(order + "H", start, 56)[0],
            )
        else:
            offset, size, count = (
                struct.unpack_from(order + "I", start, 28)[0],
                struct.unpack_from(order + "H", start, 42)[0],
                struct.unpack_from(order + "H", start, 44)[0],
            )
        for index in range(min(count, 128)):
            file.seek(offset + index * size)
            header = file.read(size)
            if struct.unpack_from(order + "I", header)[0] != 3:
                continue
            if start[4] == 2:
                where, length = struct.unpack_from(order + "Q", header, 8)[0], struct.unpack_from(order + "Q", header, 32)[0]
            else:
                where, length = struct.unpack_from(order + "I", header, 4)[0], struct.unpack_from(order + "I", header, 16)[0]
            file.seek(where)
            return file.read(min(length, 4096)).rstrip(b"\0").decode()
    return None


def libc(executable):
    try:
        name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
        major, minor = re.match(r"(\d+)\.(\d+)", version).groups()
        if name:
            return [name.lower(), int(major), int(minor)]
    except (AttributeError, OSError, ValueError):
        pass
    try:
        loader = program_interpreter(executable)
        if loader and "musl" in os.path.basename(loader):
            with open(loader, "rb") as file:
                found = re.search(rb"\0(\d+)\.(\d+)\.\d+[^\0]{0,40}\0", file.read(16 * LARGEST))
            # PEP 656 asks the loader; without running it the oldest is the safe answer.
            return ["musl"] + ([int(part) for part in found.groups()] if found else [1, 1])
    except (OSError, UnicodeDecodeError, struct.error):
        pass
    return None


def index_in(source):
    """Returns the default index that this text of pip/_internal/models/index.py builds in."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.AnnAssign):
            targets, value = [node.target], node.value
        else:
            continue
        if not any(isinstance(target, ast.Name) and target.id == "PyPI" for target in targets):
            continue
        if not isinstance(value, ast.Call):
            continue
        given = value.args[:1] + [word.value for word in value.keywords if word.arg == "url"]
        for argument in given:
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                return urllib.parse.urljoin(argument.value, "simple")
    return None


INDEX = "pip/_internal/models/index.py"


def index_of_folder(folder):
    with open(os.path.join(folder, *INDEX.split("/")), "rb") as file:
        return index_in(file.read(LARGEST))


def index_of_wheel(wheel):
    with zipfile.ZipFile(wheel) as archive:
        if archive.getinfo(INDEX).file_size > LARGEST:
            return None
        return index_in(archive.read(INDEX))


def site_folders(environment):
    if environment:
        yield from glob.glob(os.path.join(glob.escape(environment), "lib", "*", "site-packages"))
    for scheme in sysconfig.get_scheme_names():
        if scheme.endswith(("user", "home", "nt", "venv")):
            continue
        for key in ("purelib", "platlib"):
            try:
                yield sysconfig.get_path(key, scheme)
            except KeyError:
                pass
    yield os.path.join(sys.base_prefix, "lib", "python3", "dist-packages")


def wheel_folders(wheels):
    yield os.path.join(sysconfig.get_path("stdlib"), "ensurepip", "_bundled")
    yield sysconfig.get_config_var("WHEEL_PKG_DIR")
    yield from wheels


def pip_default_index(environment, wheels):
    seen = set()
    for folder in site_folders(environment):
        if folder and folder not in seen:
            seen.add(folder)
            try:
                found = index_of_folder(folder)
            except (OSError, SyntaxError, ValueError, RecursionError):
                continue
            if found:
                return found, "pip in " + folder
    for folder in wheel_folders(wheels):
        if folder and folder not in seen:
            seen.add(folder)
            for wheel in sorted(glob.glob(os.path.join(glob.escape(folder), "pip-*.whl")), reverse=True):
                try:
                    found = index_of_wheel(wheel)
                except Exception:
                    continue
                if found:
                    return found, "the wheel " + wheel
    return None, None


def library_folders():
    folders = [sysconfig.get_path(key) for key in ("stdlib", "platstdlib", "include", "platinclude")]
    if sysconfig.get_config_var("Py_ENABLE_SHARED"):
        folders.append(sysconfig.get_config_var("LIBDIR"))
    return sorted({folder for folder in folders if folder and os.path.isdir(folder)})


def answer(environment, wheels):
    executable = os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)
    index, origin = pip_default_index(environment, wheels)
    return {
        "markers": markers(),
        "version": list(sys.version_info[:3]),
        "implementation": sys.implementation.name,
        "cache_tag": sys.implementation.cache_tag,
        "soabi": sysconfig.get_config_var("SOABI"),
        "abiflags": getattr(sys, "abiflags", ""),
        "debug": bool(sysconfig.get_config_var("Py_DEBUG") or hasattr(sys, "gettotalrefcount")),
        "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
        "platform": sysconfig.get_platform(),
        "machine": os.uname().machine,
        "libc": libc(executable),
        "executable": executable,
        "base_prefix": sys.base_prefix,
        "base_exec_prefix": sys.base_exec_prefix,
        "library_folders": library_folders(),
        "pip_default_index": index,
        "pip_default_origin": origin,
    }


def main():
    environment = sys.argv[2] if len(sys.argv) > 2 else None
    text = json.dumps(answer(environment, ["/usr/share/python-wheels", "/usr/share/python3-wheels"]))
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        file.write(text)


main()
