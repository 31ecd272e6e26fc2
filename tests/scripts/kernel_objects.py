"""Keeps secrets in the kernel's stores, and tells later what became of them.

Standard input: one JSON object with the names and secrets; later one line to ask, answered on standard
output and followed by the removal of everything. argv = uid of the one whose stores they are.
"""

import ctypes
import json
import os
import sys

import calls

KEY_SPEC_USER_KEYRING = -4
KEYCTL_SETPERM, KEYCTL_UNLINK, KEYCTL_SEARCH = 5, 9, 10
ALL_FOR_THE_USER = 0x3F3F0000
IPC_CREAT, IPC_RMID = 0o1000, 0

calls.libc.shmat.restype = ctypes.c_void_p


def lay_key(name, secret):
    key = calls.syscall("add_key", b"user", name.encode(), secret.encode(), len(secret), KEY_SPEC_USER_KEYRING)
    calls.syscall("keyctl", KEYCTL_SETPERM, key, ALL_FOR_THE_USER, 0, 0)
    return key


def find_key(name):
    try:
        return calls.syscall("keyctl", KEYCTL_SEARCH, KEY_SPEC_USER_KEYRING, b"user", name.encode(), 0)
    except OSError:
        return None


def lay_memory(secret):
    segment = calls.checked(calls.libc.shmget(0, 4096, IPC_CREAT | 0o600))
    address = calls.libc.shmat(segment, None, 0)
    ctypes.memmove(address, secret.encode(), len(secret))
    return segment, address


def lay_message(name, secret):
    """Puts a message into a queue of this name."""
    queue = calls.message_queue(name, os.O_CREAT | os.O_RDWR)
    calls.checked(calls.libc.mq_send(queue, secret.encode(), len(secret), 0))


def remove_queue(name):
    """Removes a queue; says whether there was one."""
    return calls.libc.mq_unlink(b"/" + name.encode()) == 0


def segments():
    """Returns the segments of the host: key -> number."""
    with open("/proc/sysvipc/shm") as table:
        rows = [line.split() for line in table.readlines()[1:]]
    return {int(row[0]): int(row[1]) for row in rows}


told = json.loads(sys.stdin.readline())
keys = {}
if "key" in told:
    keys = {"key": lay_key(told["name"], told["key"]), "searched": lay_key(told["searched key"], told["search"])}
read, _ = lay_memory(told["memory"])
changed, address = lay_memory("untouched")
if "message" in told:
    lay_message(told["queue"], told["message"])
print(json.dumps({"key": keys.get("key", 0), "memory": read, "changed memory": changed}), flush=True)

sys.stdin.readline()
left_key = find_key(told["left key"])
left_memory = segments().get(told["left memory"])
print(json.dumps({
    "left key": left_key is not None,
    "changed memory": ctypes.string_at(address, 9) != b"untouched",
    "left memory": left_memory is not None,
    "left queue": remove_queue(told["left queue"]),
}), flush=True)
remove_queue(told["queue"])
for key in [*keys.values(), left_key]:
    if key is not None:
        calls.syscall("keyctl", KEYCTL_UNLINK, key, KEY_SPEC_USER_KEYRING, 0, 0)
for segment in (read, changed, left_memory):
    if segment is not None:
        calls.libc.shmctl(segment, IPC_RMID, None)
