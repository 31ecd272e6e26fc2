"""Writes forged messages to every descriptor there is, as a worker would speak to its supervisor."""

import os
import struct

from attempts import Attempts

HIGHEST = 64


def do(targets):
    tried = Attempts()
    body = b"\x06" + targets["word"].encode()
    frame = struct.pack("<I", len(body)) + body + b'{"Finished": {}}'
    for number in range(HIGHEST):
        tried("%d" % number, os.write, number, frame)
    return {}
