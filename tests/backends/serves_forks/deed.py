"""Uses multiprocessing's fork server, whose processes are asked for over a unix socket."""

import multiprocessing
import multiprocessing.connection
import os


def do(targets):
    context = multiprocessing.get_context("forkserver")
    for name in ("one", "two"):
        process = context.Process(target=os.mkdir, args=(name,))
        process.start()
        process.join(60)
        assert process.exitcode == 0, process.exitcode
        assert os.path.isdir(name), name
    # The same module's plain listener, in a process of its own.
    with multiprocessing.connection.Listener(family="AF_UNIX") as listener:
        child = os.fork()
        if child == 0:
            with multiprocessing.connection.Client(listener.address) as client:
                client.send(client.recv() + 1)
            os._exit(0)
        with listener.accept() as connection:
            connection.send(41)
            assert connection.recv() == 42
        assert os.waitpid(child, 0)[1] == 0
    return {}
