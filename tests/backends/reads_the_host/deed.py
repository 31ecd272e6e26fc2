"""Reads what the kernel and the host tell of themselves: the log, the symbols, the numbers that identify them."""

import ctypes
import os

import calls
from attempts import Attempts

SYSLOG_ACTION_READ_ALL = 3
SIZE = 1 << 20


def log_by_call():
    buffer = ctypes.create_string_buffer(SIZE)
    length = calls.checked(calls.libc.klogctl(SYSLOG_ACTION_READ_ALL, buffer, SIZE))
    return buffer.raw[:length]


def log_by_device():
    """Every record of the log; a read gives one."""
    log = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
    records = []
    try:
        while True:
            records.append(os.read(log, 8192))
    except BlockingIOError:
        return b"".join(records)


def read(path, most=4096):
    with open(path, "rb") as file:
        return file.read(most)


def do(targets):
    tried = Attempts()
    tried("log by call", log_by_call)
    tried("log by device", log_by_device)
    for path in targets["files"]:
        tried(path, read, path)
    return tried
