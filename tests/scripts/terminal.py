"""Runs a program in a terminal of its own: argv = file for what was typed into it, program, arguments.

What the program shows goes to standard output. After its end, everything that waits in the terminal's
input is written to the file: nobody sits there, so whatever it is, a process typed it.
"""

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios

leader, follower = pty.openpty()
fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
child = os.fork()
if child == 0:
    os.setsid()
    fcntl.ioctl(follower, termios.TIOCSCTTY, 0)
    for descriptor in (0, 1, 2):
        os.dup2(follower, descriptor)
    os.execv(sys.argv[2], sys.argv[2:])

ended = None
while ended is None or select.select([leader], [], [], 0)[0]:
    if select.select([leader], [], [], 0.02)[0]:
        os.write(1, os.read(leader, 65536))
    if ended is None:
        pid, status = os.waitpid(child, os.WNOHANG)
        ended = status if pid else None

# Without line editing everything that waits can be read, not only whole lines.
attributes = termios.tcgetattr(follower)
attributes[3] &= ~termios.ICANON
attributes[6][termios.VMIN] = 0
attributes[6][termios.VTIME] = 0
termios.tcsetattr(follower, termios.TCSANOW, attributes)
with open(sys.argv[1], "wb") as typed:
    typed.write(os.read(follower, 65536))
if os.WIFSIGNALED(ended):
    signal.signal(os.WTERMSIG(ended), signal.SIG_DFL)
    os.kill(os.getpid(), os.WTERMSIG(ended))
sys.exit(os.WEXITSTATUS(ended))
