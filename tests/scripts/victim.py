"""A process that keeps secrets where other processes might look for them, and waits to be ended.

argv = secret in the arguments. Standard input brings one JSON object with the secrets for memory and
descriptors; standard output answers with the places.
"""

import ctypes
import json
import os
import signal
import sys
import tempfile

os.setpgid(0, 0)
told = json.loads(sys.stdin.readline())
kept = [ctypes.create_string_buffer(told[name].encode()) for name in ("memory by call", "memory by file")]
files = []
for name in ("descriptor by call", "descriptor by file"):
    file = tempfile.TemporaryFile(dir=told["folder"])
    file.write(told[name].encode())
    file.flush()
    files.append(file)
print(json.dumps({
    "pid": os.getpid(),
    "length": len(kept[0]),
    "memory by call": ctypes.addressof(kept[0]),
    "memory by file": ctypes.addressof(kept[1]),
    "descriptor by call": files[0].fileno(),
    "descriptor by file": files[1].fileno(),
}), flush=True)
while True:
    signal.pause()
