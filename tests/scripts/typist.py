"""Sits at a terminal before a program: argv = steps, program, arguments.

A step is what is awaited on the screen, and the keys that are typed then; JSON holds the list. What the
program shows goes to standard output. Whether the terminal was left as it was found is shown at the end.
"""

import fcntl
import json
import os
import pty
import select
import struct
import sys
import termios

leader, follower = pty.openpty()
fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 43, 171, 0, 0))
before = termios.tcgetattr(follower)
child = os.fork()
if child == 0:
    os.setsid()
    fcntl.ioctl(follower, termios.TIOCSCTTY, 0)
    for descriptor in (0, 1, 2):
        os.dup2(follower, descriptor)
    os.execv(sys.argv[2], sys.argv[2:])

steps = json.loads(sys.argv[1])
seen = b""
ended = None
while ended is None or select.select([leader], [], [], 0)[0]:
    if select.select([leader], [], [], 0.02)[0]:
        shown = os.read(leader, 65536)
        os.write(1, shown)
        seen += shown
        if steps and steps[0][0].encode() in seen:
            seen = seen[seen.index(steps[0][0].encode()) + len(steps[0][0]):]
            os.write(leader, steps.pop(0)[1].encode())
    if ended is None:
        pid, status = os.waitpid(child, os.WNOHANG)
        ended = status if pid else None
same = termios.tcgetattr(follower) == before
os.write(1, b"\nthe terminal is as it was\n" if same else b"\nthe terminal was changed\n")
sys.exit(os.waitstatus_to_exitcode(ended))
