"""Runs a program as a container engine's default filter would have it: no new namespaces, no mounts.

argv = program and arguments. The filter refuses unshare, setns, clone with namespace flags and the mount
calls, and hides clone3, whose flags a filter can not see.
"""

import ctypes
import os
import platform
import struct
import sys

import calls

LOAD, EQUAL, ANY_BIT, RETURN = 0x20, 0x15, 0x45, 0x06
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
EPERM, ENOSYS = 1, 38
ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}[platform.machine()]
NAMESPACE_FLAGS = 0x7E020000
PR_SET_NO_NEW_PRIVS = 38
SECCOMP_SET_MODE_FILTER = 1
REFUSED = (
    "unshare", "setns", "mount", "umount2", "pivot_root", "open_tree", "move_mount", "fsopen", "fsmount",
    "mount_setattr", "pidfd_getfd",
)


def instruction(code, value, yes=0, no=0):
    return struct.pack("=HBBI", code, yes, no, value)


def program():
    """Returns the filter: other architectures pass, each refused call answers at once."""
    text = [instruction(LOAD, 4), instruction(EQUAL, ARCHITECTURE, 1, 0), instruction(RETURN, ALLOW), instruction(LOAD, 0)]
    for name in REFUSED:
        text += [instruction(EQUAL, calls.NUMBERS[name], 0, 1), instruction(RETURN, ERRNO | EPERM)]
    text += [instruction(EQUAL, calls.NUMBERS["clone3"], 0, 1), instruction(RETURN, ERRNO | ENOSYS)]
    text += [
        instruction(EQUAL, calls.NUMBERS["clone"], 0, 3),
        instruction(LOAD, 16),
        instruction(ANY_BIT, NAMESPACE_FLAGS, 0, 1),
        instruction(RETURN, ERRNO | EPERM),
        instruction(RETURN, ALLOW),
    ]
    return b"".join(text)


def main():
    text = ctypes.create_string_buffer(program())
    header = ctypes.create_string_buffer(struct.pack("@HP", (len(text) - 1) // 8, ctypes.addressof(text)))
    calls.syscall("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    calls.syscall("seccomp", SECCOMP_SET_MODE_FILTER, 0, header)
    os.execv(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
