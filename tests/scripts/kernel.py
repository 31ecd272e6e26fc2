"""Prints, as JSON, what this kernel can do for this user: the suite names what is missing."""

import errno
import json
import os
import socket
import sys

import calls

CLONE_NEWUSER = 0x10000000
LANDLOCK_CREATE_RULESET_VERSION = 1


def landlock():
    """Returns the Landlock ABI, 0 without Landlock."""
    try:
        return calls.syscall("landlock_create_ruleset", None, 0, LANDLOCK_CREATE_RULESET_VERSION)
    except OSError:
        return 0


def user_namespaces():
    """Whether this user may make a user namespace; tried in a child."""
    child = os.fork()
    if child == 0:
        try:
            calls.syscall("unshare", CLONE_NEWUSER)
            os._exit(0)
        except OSError:
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0


def keyring():
    try:
        calls.syscall("keyctl", 0, -4, 1, 0, 0)
        return True
    except OSError:
        return False


def knows(name, *arguments):
    """Whether the kernel has a call at all; the arguments are wrong on purpose."""
    try:
        calls.syscall(name, *arguments)
    except OSError as error:
        return error.errno != errno.ENOSYS
    return True


def multipath():
    """Whether the kernel has MPTCP sockets."""
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262).close()
        return True
    except OSError:
        return False


def typing_into_terminals():
    """Whether TIOCSTI still works: newer kernels have a switch for it."""
    try:
        with open("/proc/sys/dev/tty/legacy_tiocsti") as switch:
            return switch.read().strip() == "1"
    except OSError:
        return True


print(json.dumps({
    "landlock": landlock(),
    "user namespaces": user_namespaces(),
    "fchmodat2": knows("fchmodat2", -1, None, 0, 0),
    "memfd_secret": knows("memfd_secret", -1),
    "setxattrat": knows("setxattrat", -1, None, 0, None, None, 0),
    "MPTCP": multipath(),
    "keyring": keyring(),
    "message queues": os.path.exists("/proc/sys/fs/mqueue"),
    "System V memory": os.path.exists("/proc/sysvipc/shm"),
    "typing into terminals": typing_into_terminals(),
    "IPv6 loopback": os.path.exists("/proc/net/if_inet6") and "lo" in open("/proc/net/if_inet6").read(),
}))
