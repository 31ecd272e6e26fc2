"""Opens what the kernel keeps behind calls that no build needs, and waits so that the test can look at what is held.

Nothing is changed but this process, its folder and a mount namespace of its own.
"""

import ctypes
import mmap
import os
import platform
import socket
import stat
import struct

import calls
import hold
from attempts import Attempts

CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000
MAP_32BIT = 0x40
ADDR_NO_RANDOMIZE = 0x40000
BPF_MAP_CREATE, BPF_MAP_TYPE_ARRAY = 0, 2
PERF_TYPE_SOFTWARE = 1
PERF_ONLY_THIS_PROGRAM = 1 | 1 << 5 | 1 << 6
FAN_REPORT_FID = 0x200
UFFD_USER_MODE_ONLY = 1
# Family, type, protocol: the kernel itself tells by which name it knows them.
SOCKETS = {
    "RAW": (socket.AF_INET, socket.SOCK_RAW, 1),
    "PING": (socket.AF_INET, socket.SOCK_DGRAM, 1),
    "PACKET": (17, socket.SOCK_RAW, 0),
    "AF_VSOCK": (40, socket.SOCK_STREAM, 0),
    "XDP": (44, socket.SOCK_RAW, 0),
    "UDP-Lite": (socket.AF_INET, socket.SOCK_DGRAM, 136),
}

FOLDER = os.getcwd()

kept = []


def ring():
    kept.append(calls.syscall("io_uring_setup", 4, ctypes.create_string_buffer(120)))


def program():
    size = 120
    attributes = ctypes.create_string_buffer(struct.pack("IIIII", BPF_MAP_TYPE_ARRAY, 4, 4, 1, 0), size)
    kept.append(calls.syscall("bpf", BPF_MAP_CREATE, attributes, size))


def faults():
    kept.append(calls.syscall("userfaultfd", UFFD_USER_MODE_ONLY | os.O_CLOEXEC))


def counter():
    size = 128
    words = struct.pack("IIQQQQQ", PERF_TYPE_SOFTWARE, size, 0, 0, 0, 0, PERF_ONLY_THIS_PROGRAM)
    kept.append(calls.syscall("perf_event_open", ctypes.create_string_buffer(words, size), 0, -1, -1, 0))


def events():
    kept.append(calls.syscall("fanotify_init", FAN_REPORT_FID, 0))


def hidden_memory():
    kept.append(calls.syscall("memfd_secret", 0))


def terminal():
    kept.append(os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY))


def personality():
    calls.checked(calls.libc.personality(ADDR_NO_RANDOMIZE))


def device():
    os.mknod("device", stat.S_IFCHR | 0o600, os.makedev(1, 3))


def in_own_namespace(act):
    """Does something in a child that is the root of namespaces of its own, and stays there."""
    read, write = os.pipe()
    if os.fork() == 0:
        try:
            calls.syscall("unshare", CLONE_NEWUSER | CLONE_NEWNS)
            act()
            os.write(write, b"done")
        except OSError as error:
            os.write(write, str(error).encode())
            os._exit(1)
        try:
            # The working folder stays what it is, whatever the root.
            hold.wait_for("go")
        finally:
            os._exit(0)
    return os.read(read, 200)


def mount():
    calls.syscall("mount", b"tmpfs", os.path.join(FOLDER, "mounted").encode(), b"tmpfs", 0, None)


def change_root():
    """Goes where only its own folder is: the file `jailed` then lies in its root, and `go` appears there."""
    os.chroot(FOLDER)


def foreign_call():
    """Makes a file by a 32-bit call: the program is a few bytes below 4 GiB, run in a child that may be killed."""
    page = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_32BIT,
                     prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    start = ctypes.addressof(ctypes.c_char.from_buffer(page))
    name = start + 256
    page[256:272] = b"by-a-32-bit-call"
    page[272] = 0
    # push rbx; mov eax, 8 (creat); mov ebx, name; mov ecx, 0644; int 0x80; pop rbx; ret
    code = b"\x53\xb8\x08\x00\x00\x00\xbb" + struct.pack("I", name) + b"\xb9\xa4\x01\x00\x00\xcd\x80\x5b\xc3"
    page[:len(code)] = code
    child = os.fork()
    if child == 0:
        ctypes.CFUNCTYPE(ctypes.c_int)(start)()
        os._exit(0)
    return os.waitpid(child, 0)[1]


def do(targets):
    os.mkdir("mounted")
    with open("jailed", "w"):
        pass
    tried = Attempts()
    for act in (ring, program, faults, counter, events, hidden_memory, terminal, device):
        tried(act.__name__, act)
    for name, words in SOCKETS.items():
        tried(name, lambda: kept.append(socket.socket(*words)))
    tried("mount", in_own_namespace, mount)
    tried("root", in_own_namespace, change_root)
    if platform.machine() == "x86_64":
        tried("32 bit", foreign_call)
    tried("personality", personality)
    hold.until_released()
    return tried
