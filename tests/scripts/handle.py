"""Says by which handle the kernel knows a file: its type and its bytes, or nothing where the file system has none."""

import ctypes
import json
import os
import struct
import sys

import calls

AT_FDCWD = -100
MOST = 128

path = json.loads(sys.stdin.readline())["path"]
handle = ctypes.create_string_buffer(struct.pack("=Ii", MOST, 0), 8 + MOST)
mount = ctypes.c_int()
try:
    calls.syscall("name_to_handle_at", AT_FDCWD, os.fsencode(path), handle, ctypes.byref(mount), 0)
    length, kind = struct.unpack_from("=Ii", handle)
    print(json.dumps({"type": kind, "bytes": handle.raw[8:8 + length].hex()}), flush=True)
except OSError:
    print("null", flush=True)
