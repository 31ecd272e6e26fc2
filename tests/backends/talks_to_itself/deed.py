"""Connects to sockets of its own in every way that an honest program does, and minds how each behaves."""

import errno
import fcntl
import os
import socket
import subprocess
import sys


def listening(address):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(8)
    return listener


def talk(listener, address, sender=None):
    """Connects, and sees that both ends are those of one connection."""
    sender = sender or socket.socket(socket.AF_UNIX)
    sender.connect(address)
    receiver, _ = listener.accept()
    sender.sendall(b"there")
    assert receiver.recv(16) == b"there"
    receiver.sendall(b"back")
    sender.settimeout(20)
    assert sender.recv(16) == b"back"
    receiver.close()
    return sender


def fails(number, act, *arguments):
    try:
        act(*arguments)
    except OSError as error:
        assert error.errno == number, (error, number)
    else:
        raise AssertionError("it succeeded")


def flags(sender):
    status = fcntl.fcntl(sender, fcntl.F_GETFL)
    return bool(status & os.O_NONBLOCK), bool(fcntl.fcntl(sender, fcntl.F_GETFD) & fcntl.FD_CLOEXEC)


def names():
    temporary = os.path.join(os.environ["TMPDIR"], "own.sock")
    with listening(temporary) as listener:
        talk(listener, temporary)
        talk(listener, os.path.join(os.path.dirname(temporary), "..", "t", ".", "own.sock"))
    os.mkdir("below")
    with listening("below/own.sock") as listener:
        talk(listener, "below/own.sock")
        talk(listener, os.path.abspath("below/own.sock"))
        os.chdir("below")
        talk(listener, "../below/own.sock")
        os.chdir("..")
    with listening("\0fumehood-test-%d" % os.getpid()) as listener:
        talk(listener, listener.getsockname())
    if os.path.islink("/tmp"):
        with listening("/tmp/other.sock") as listener:
            talk(listener, "/tmp/other.sock")


def manners():
    with listening("manners.sock") as listener:
        for blocking in (True, False):
            for inheritable in (True, False):
                sender = socket.socket(socket.AF_UNIX)
                sender.setblocking(blocking)
                sender.set_inheritable(inheritable)
                before = flags(sender)
                sender.connect("manners.sock")
                assert flags(sender) == before == (not blocking, not inheritable), (flags(sender), before)
                listener.accept()[0].close()
                sender.close()


def options(copied):
    """Options that only a copy of the socket tells: kept where the host lets the worker take one."""
    with listening("options.sock") as listener:
        sender = socket.socket(socket.AF_UNIX)
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)
        room = sender.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
        sender.connect("options.sock")
        if copied:
            assert sender.getsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED) == 1
            assert sender.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == room
            fails(errno.EISCONN, sender.connect, "options.sock")
        listener.accept()[0].close()


def errors():
    fails(errno.ENOENT, socket.socket(socket.AF_UNIX).connect, "nothing.sock")
    with open("file", "w"):
        fails(errno.ECONNREFUSED, socket.socket(socket.AF_UNIX).connect, "file")
    listening("gone.sock").close()
    fails(errno.ECONNREFUSED, socket.socket(socket.AF_UNIX).connect, "gone.sock")
    with listening("linked.sock"):
        os.symlink("linked.sock", "link.sock")
        fails(errno.EACCES, socket.socket(socket.AF_UNIX).connect, "link.sock")
    fails(errno.EACCES, socket.socket, socket.AF_UNIX, socket.SOCK_DGRAM)


def from_a_thread_and_a_program():
    import threading

    with listening("other.sock") as listener:
        thread = threading.Thread(target=lambda: socket.socket(socket.AF_UNIX).connect("other.sock"))
        thread.start()
        listener.accept()[0].close()
        thread.join()
        program = "import socket; s = socket.socket(socket.AF_UNIX); s.connect('other.sock'); s.sendall(b'x')"
        process = subprocess.Popen([sys.executable, "-c", program])
        assert listener.accept()[0].recv(1) == b"x"
        assert process.wait() == 0


def do(targets):
    names()
    manners()
    options(targets["options are copied"])
    errors()
    from_a_thread_and_a_program()
    return {}
