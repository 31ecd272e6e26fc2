"""Connects to a socket that nobody accepts from, with more callers than may wait."""

import errno
import os
import select
import socket
import time

CALLERS = 80


def call(address, report):
    sender = socket.socket(socket.AF_UNIX)
    try:
        sender.connect(address)
        answer = 0
    except OSError as error:
        answer = error.errno
    os.write(report, b"%d\n" % answer)
    sender.close()
    os._exit(0)


def answers(pipe, number):
    """Reads so many answers."""
    text = b""
    while text.count(b"\n") < number:
        assert select.select([pipe], [], [], 60)[0], "an answer did not come"
        text += os.read(pipe, 4096)
    return [int(word) for word in text.split()]


def do(targets):
    full = socket.socket(socket.AF_UNIX)
    full.bind("full.sock")
    full.listen(0)
    first = socket.socket(socket.AF_UNIX)
    first.connect("full.sock")
    # Who does not wait is told so at once.
    hasty = socket.socket(socket.AF_UNIX)
    hasty.setblocking(False)
    assert hasty.connect_ex("full.sock") == errno.EAGAIN
    reading, writing = os.pipe()
    for _ in range(CALLERS):
        if os.fork() == 0:
            call("full.sock", writing)
    # More callers than may wait: the others are sent away, and the broker serves everybody else.
    sent_away = answers(reading, CALLERS - 64)
    assert set(sent_away) == {errno.EAGAIN}, sent_away
    other = socket.socket(socket.AF_UNIX)
    other.bind("other.sock")
    other.listen(1)
    before = time.monotonic()
    socket.socket(socket.AF_UNIX).connect("other.sock")
    os.chmod("other.sock", 0o600)
    print("served in %.3f s" % (time.monotonic() - before), flush=True)
    # Room is made for a few; the rest wait until the build ends, and end with it.
    for _ in range(4):
        full.accept()[0].close()
    assert answers(reading, 3)[:3] == [0, 0, 0]
    return {}
