"""Reads other processes of the same user: environment, arguments, memory, descriptors; traces one."""

import ctypes
import os
import struct

import calls
import hold
from attempts import Attempts

PTRACE_SEIZE = 0x4206


def read(path):
    with open(path, "rb") as file:
        return file.read()


def memory_by_call(pid, address, length):
    buffer = ctypes.create_string_buffer(length)
    here = ctypes.create_string_buffer(struct.pack("PN", ctypes.addressof(buffer), length), 16)
    there = ctypes.create_string_buffer(struct.pack("PN", address, length), 16)
    calls.syscall("process_vm_readv", pid, here, 1, there, 1, 0)
    return buffer.raw


def memory_by_file(pid, address, length):
    with open("/proc/%d/mem" % pid, "rb", buffering=0) as file:
        file.seek(address)
        return file.read(length)


def descriptor_by_call(pid, number):
    taken = calls.syscall("pidfd_getfd", os.pidfd_open(pid), number, 0)
    return os.pread(taken, 100, 0)


def descriptor_by_file(pid, number):
    return read("/proc/%d/fd/%d" % (pid, number))


def do(targets):
    tried = Attempts()
    pid = targets["pid"]
    tried("environment", read, "/proc/%d/environ" % pid)
    tried("arguments", read, "/proc/%d/cmdline" % pid)
    tried("memory by call", memory_by_call, pid, targets["memory by call"], targets["length"])
    tried("memory by file", memory_by_file, pid, targets["memory by file"], targets["length"])
    tried("descriptor by call", descriptor_by_call, pid, targets["descriptor by call"])
    tried("descriptor by file", descriptor_by_file, pid, targets["descriptor by file"])
    tried("trace", calls.syscall, "ptrace", PTRACE_SEIZE, pid, 0, 0)
    hold.until_released()
    return tried
