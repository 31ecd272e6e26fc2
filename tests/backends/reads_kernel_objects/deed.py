"""Takes and leaves things in the kernel's own stores: the user's keyring and System V shared memory."""

import ctypes
import os

import calls
from attempts import Attempts

KEY_SPEC_USER_KEYRING = -4
KEYCTL_LINK, KEYCTL_SEARCH, KEYCTL_READ = 8, 10, 11
IPC_CREAT = 0o1000


def read_key(key):
    buffer = ctypes.create_string_buffer(200)
    length = calls.syscall("keyctl", KEYCTL_READ, key, buffer, 200, 0)
    return buffer.raw[:length]


def search_key(name):
    return read_key(calls.syscall("keyctl", KEYCTL_SEARCH, KEY_SPEC_USER_KEYRING, b"user", name.encode(), 0))


def leave_key(name):
    calls.syscall("add_key", b"user", name.encode(), b"left", 4, KEY_SPEC_USER_KEYRING)


def attach(segment):
    calls.libc.shmat.restype = ctypes.c_void_p
    address = calls.libc.shmat(segment, None, 0)
    if address in (None, ctypes.c_void_p(-1).value):
        number = ctypes.get_errno()
        raise OSError(number, "shmat")
    return address


def read_memory(segment):
    return ctypes.string_at(attach(segment), 100)


def change_memory(segment):
    ctypes.memmove(attach(segment), b"stolen", 6)


def leave_memory(key):
    return calls.checked(calls.libc.shmget(key, 4096, IPC_CREAT | 0o600))


def take_message(name):
    buffer = ctypes.create_string_buffer(1 << 16)
    length = calls.checked(calls.libc.mq_receive(calls.message_queue(name, os.O_RDWR | os.O_NONBLOCK), buffer, 1 << 16, None))
    return buffer.raw[:length]


def do(targets):
    tried = Attempts()
    tried("message", take_message, targets["queue"])
    tried("leave queue", calls.message_queue, targets["left queue"], os.O_RDWR | os.O_CREAT)
    tried("key", read_key, targets["key"])
    tried("search", search_key, targets["searched key"])
    tried("leave key", leave_key, targets["left key"])
    tried("memory", read_memory, targets["memory"])
    tried("change memory", change_memory, targets["changed memory"])
    tried("leave memory", leave_memory, targets["left memory"])
    return tried
