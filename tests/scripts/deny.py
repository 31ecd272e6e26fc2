"""Runs a program where the kernel refuses some of what it has.

argv = what is refused, with commas; program and arguments. A filter around the program refuses:

namespaces        as a container engine's default filter: unshare, setns, clone with namespace flags, the mount
                  calls, copies of descriptors; clone3, whose flags a filter can not see, is hidden
landlock          as a kernel that was built without it
listener          as a kernel whose filters have no listeners
another-listener  nothing, but this filter has a listener, and one chain of filters can have only one
"""

import ctypes
import os
import platform
import struct
import sys

import calls

LOAD, EQUAL, ANY_BIT, RETURN = 0x20, 0x15, 0x45, 0x06
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
EPERM, EINVAL, ENOSYS = 1, 22, 38
ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}[platform.machine()]
NUMBER, ARCH, ARGUMENT_0, ARGUMENT_1 = 0, 4, 16, 24
NAMESPACE_FLAGS = 0x7E020000
PR_SET_NO_NEW_PRIVS = 38
SECCOMP_SET_MODE_FILTER = 1
NEW_LISTENER = 8
REFUSED = (
    "unshare", "setns", "mount", "umount2", "pivot_root", "open_tree", "move_mount", "fsopen", "fsmount",
    "mount_setattr", "pidfd_getfd",
)


def instruction(code, value, yes=0, no=0):
    return struct.pack("=HBBI", code, yes, no, value)


def refusal(name, errno):
    """Answers a call at once."""
    return [instruction(EQUAL, calls.NUMBERS[name], 0, 1), instruction(RETURN, ERRNO | errno)]


def refusal_of_bits(name, argument, bits, errno):
    """Answers a call at once if its argument has one of the bits; the call is decided afterwards."""
    return [
        instruction(EQUAL, calls.NUMBERS[name], 0, 4),
        instruction(LOAD, argument),
        instruction(ANY_BIT, bits, 0, 1),
        instruction(RETURN, ERRNO | errno),
        instruction(RETURN, ALLOW),
    ]


def program(denied):
    """Returns the filter: other architectures pass."""
    text = [instruction(LOAD, ARCH), instruction(EQUAL, ARCHITECTURE, 1, 0), instruction(RETURN, ALLOW)]
    text.append(instruction(LOAD, NUMBER))
    if "namespaces" in denied:
        for name in REFUSED:
            text += refusal(name, EPERM)
        text += refusal("clone3", ENOSYS)
        text += refusal_of_bits("clone", ARGUMENT_0, NAMESPACE_FLAGS, EPERM)
    if "landlock" in denied:
        text += refusal("landlock_create_ruleset", ENOSYS)
    if "listener" in denied:
        text += refusal_of_bits("seccomp", ARGUMENT_1, NEW_LISTENER, EINVAL)
    text.append(instruction(RETURN, ALLOW))
    return b"".join(text)


def main():
    denied = sys.argv[1].split(",")
    text = ctypes.create_string_buffer(program(denied))
    header = ctypes.create_string_buffer(struct.pack("@HP", (len(text) - 1) // 8, ctypes.addressof(text)))
    calls.syscall("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if "another-listener" in denied:
        # Left open in the program: a listener that nobody holds is none.
        os.set_inheritable(calls.syscall("seccomp", SECCOMP_SET_MODE_FILTER, NEW_LISTENER, header), True)
    else:
        calls.syscall("seccomp", SECCOMP_SET_MODE_FILTER, 0, header)
    os.execv(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
