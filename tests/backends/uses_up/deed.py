"""Uses up one thing, far past the limit that the test sets and never past its own: were the limit not
enforced, nothing would happen to the machine, and the build would end well after `SECONDS`."""

import mmap
import os
import resource
import signal
import sys
import time

SECONDS = 25  # unless targets.json has others
MIB = 1 << 20
BLOCK = b"x" * MIB
DEADLINE = time.monotonic() + SECONDS


def in_time():
    return time.monotonic() < DEADLINE


def rest():
    """Keeps what was taken until the end."""
    while in_time():
        time.sleep(0.05)


def forks(most):
    """Starts processes and goes on when that is refused."""
    started = 0
    while in_time():
        if started == most:
            return rest()
        try:
            if os.fork() == 0:
                rest()
                os._exit(0)
            started += 1
        except OSError:
            time.sleep(0.01)


def forks_until_refused(most):
    """Starts processes and fails as soon as that is refused, while they are there."""
    for _ in range(most):
        if os.fork() == 0:
            rest()
            os._exit(0)
    rest()


def forks_and_vanishes(most):
    """The same, and does not say so."""
    try:
        forks_until_refused(most)
    except OSError:
        os._exit(3)


def threads(most):
    """The same with threads, which count as well."""
    import threading

    started = 0
    while in_time() and started < most:
        try:
            threading.Thread(target=rest, daemon=True).start()
            started += 1
        except RuntimeError:
            time.sleep(0.01)
    rest()


def memory(most):
    """Takes memory in eight processes, none of which has much."""
    for _ in range(8):
        if os.fork() == 0:
            held = []
            while in_time() and len(held) < most // 8:
                # One byte a page, so that the pages are there.
                part = bytearray(MIB)
                part[::4096] = b"x" * (MIB // 4096)
                held.append(part)
                time.sleep(0.001)
            rest()
            os._exit(0)
    rest()


def memory_at_once(most):
    """Asks for all of it in one piece."""
    held = bytearray(most * MIB)
    rest()
    return held


def shared_memory(most):
    """Takes memory that is no process's own."""
    held = []
    while in_time() and len(held) < most // 16:
        part = mmap.mmap(-1, 16 * MIB)
        part.write(BLOCK * 16)
        held.append(part)
    rest()


def memory_files(most):
    """Takes memory in a file that is nowhere and mapped by nobody."""
    for _ in range(4):
        file = os.memfd_create("held")
        for _ in range(most // 4):
            os.write(file, BLOCK)
    rest()


def disk(most):
    """Fills the disk with files."""
    for number in range(most):
        with open("file-%d" % number, "wb") as file:
            file.write(BLOCK)
    rest()


def unlinked(most):
    """Fills it with files that have no name."""
    held = []
    for number in range(4):
        held.append(open("held", "wb"))
        os.unlink("held")
        for _ in range(most // 4):
            held[-1].write(BLOCK)
            held[-1].flush()
    rest()


def inodes(most):
    """Makes empty files."""
    for number in range(most):
        if number % 100 == 0:
            os.mkdir("folder-%d" % (number // 100))
        os.close(os.open("folder-%d/%d" % (number // 100, number), os.O_CREAT | os.O_WRONLY))
    rest()


def log(most):
    """Floods the log."""
    for _ in range(most * 16):
        sys.stdout.write("x" * 65535 + "\n")
    sys.stdout.flush()
    rest()


def open_files(most):
    """Opens files until that is refused, and fails with it."""
    held = [open(os.devnull) for _ in range(most)]
    rest()
    return held


def open_files_held(most):
    """The same, and gets on without more."""
    held = []
    try:
        while len(held) < most:
            held.append(open(os.devnull))
    except OSError:
        rest()


def file_size(most):
    """Writes one large file and swallows the refusal."""
    try:
        with open("file", "wb", buffering=0) as file:
            for _ in range(most):
                file.write(BLOCK)
    except OSError:
        return
    rest()


def file_size_signal(most):
    """The same as a program that is no Python."""
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    file = os.open("held", os.O_CREAT | os.O_WRONLY)
    os.unlink("held")
    for _ in range(most):
        os.write(file, BLOCK)
    rest()


def processor(_):
    """Keeps every processor busy, and none of the loops ends by itself."""
    for _ in range(len(os.sched_getaffinity(0)) - 1):
        if os.fork() == 0:
            break
    while in_time():
        pass


def time_by_the_clock(_):
    """Says now and then that it is alive."""
    while in_time():
        print("alive", end="", flush=True)
        time.sleep(0.1)


def silence(_):
    rest()


def do(targets):
    global DEADLINE
    DEADLINE = time.monotonic() + targets.get("seconds", SECONDS)
    # Whatever happens: no more than the test machine can bear.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return globals()[targets["what"]](targets["most"])
