"""Runs PEP 517 hooks on request, each in a process of its own.

What begins is said in the file that follows this one. `main` is started once for a build. Takes one JSON line a
call on standard input and answers with one line on descriptor 3 when the call has ended. What the hook returned is in the result file that the call names;
nothing is ever read from standard output.

This process imports nothing of a stranger's. Its child, the stem, imports the backend once, and from the stem
each hook is forked: what an import costs is paid once a build. Neither the stem nor a hook holds the
descriptors on which calls come and are answered.
"""

import json
import os
import signal
import sys

CALLS, ANSWERS = 0, 3


def main():
    stem = None
    while True:
        line = read_line(CALLS)
        if not line:
            break
        call = json.loads(line)
        stem = stem or Stem(call)
        status = stem.run(line)
        if status is None:
            status = stem.end()
            stem = None
        tell_of_death(call, status)
        os.write(ANSWERS, b"done\n")
    if stem:
        stem.end()


class Stem:
    """The process that has imported the backend, seen from its parent."""

    def __init__(self, call):
        orders, self.orders = os.pipe()
        self.ends, ends = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.orders)
            os.close(self.ends)
            branch(call, orders, ends)
        os.close(orders)
        os.close(ends)

    def run(self, line):
        """Returns the status with which the process of the call ended, or nothing if the stem ended first."""
        try:
            os.write(self.orders, line)
        except OSError:
            return None
        try:
            return int(read_line(self.ends)) & 0xFFFF
        except ValueError:
            return None

    def end(self):
        """Returns the status with which it ended; what still runs has lost its right to."""
        os.close(self.orders)
        os.close(self.ends)
        os.kill(self.pid, signal.SIGKILL)
        return os.waitpid(self.pid, 0)[1]


def branch(call, orders, ends):
    """The stem: never returns."""
    import gc
    from importlib import import_module

    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, CALLS)
    os.close(null)
    os.close(ANSWERS)
    sys.path[:0] = call["backend_path"]
    backend = failure = None
    try:
        backend = import_module(call["backend"].partition(":")[0])
    except BaseException as error:
        # Each hook fails with it, as if it had imported the backend itself.
        failure = error
    flush()
    if hasattr(gc, "freeze"):
        gc.freeze()
    while True:
        line = read_line(orders)
        if not line:
            os._exit(0)
        try:
            child = os.fork()
        except OSError as error:
            refuse(json.loads(line), failure or error)
            os.write(ends, b"0\n")
            continue
        if child == 0:
            os.close(orders)
            os.close(ends)
            run(json.loads(line), backend, failure)
        _, status = os.waitpid(child, 0)
        os.write(ends, b"%d\n" % status)


def tell_of_death(call, status):
    """Says how the process of a call ended, if it left no result."""
    if not os.path.exists(call["result"]):
        died = {"outcome": "died"}
        if os.WIFSIGNALED(status):
            died["signal"] = os.WTERMSIG(status)
        else:
            died["status"] = os.WEXITSTATUS(status)
        write(call["result"], died)


def refuse(call, error):
    """Answers a call for which there is no process: what the backend started as it was imported may have taken all."""
    show()
    write(call["result"], raised(error))


def read_line(descriptor):
    line = b""
    while not line.endswith(b"\n"):
        got = os.read(descriptor, 1)
        if not got:
            return line
        line += got
    return line


def run(call, backend, failure):
    """The child: never returns."""
    try:
        result = call_hook(call, backend, failure)
    except SystemExit as error:
        result = {"outcome": "exited", "message": short(error.code)}
    except KeyboardInterrupt:
        result = {"outcome": "raised", "kind": "KeyboardInterrupt", "message": ""}
    except BaseException as error:
        show()
        result = raised(error)
    flush()
    write(call["result"], result)
    os._exit(0)


def raised(error):
    return {
        "outcome": "raised",
        "kind": short(type(error).__name__),
        "message": short(error),
        "module": short(getattr(error, "name", None) or "") if isinstance(error, ImportError) else "",
    }


def call_hook(call, backend, failure):
    name, _, attributes = call["backend"].partition(":")
    try:
        if failure is not None:
            raise failure
    except ImportError as error:
        show()
        missing = getattr(error, "name", None) or ""
        if missing and (name == missing or name.startswith(missing + ".")):
            return {"outcome": "no-backend", "message": short(error)}
        return {"outcome": "no-backend", "message": short(error), "module": short(missing)}
    if call["backend_path"] and not is_inside(backend, call["backend_path"]):
        return {"outcome": "no-backend", "message": "it was not found in backend-path"}
    for attribute in filter(None, attributes.split(".")):
        if not hasattr(backend, attribute):
            return {"outcome": "no-backend", "message": short("%s has no attribute %s" % (name, attribute))}
        backend = getattr(backend, attribute)
    hook = getattr(backend, call["hook"], None)
    if hook is None:
        return {"outcome": "no-hook"}
    arguments = []
    if call.get("directory"):
        os.makedirs(call["directory"], exist_ok=True)
        arguments.append(call["directory"])
    arguments.append(call["config_settings"])
    os.chdir(call["project"])
    value = hook(*arguments)
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        return {"outcome": "returned", "list": [str(item) for item in value]}
    if isinstance(value, str):
        return {"outcome": "returned", "text": short(value)}
    return {"outcome": "returned", "other": short(type(value).__name__)}


def is_inside(backend, folders):
    """PEP 517: with backend-path, the backend comes from there and from nowhere else."""
    origin = getattr(backend, "__file__", None) or next(iter(getattr(backend, "__path__", [])), None)
    if not origin:
        return False
    origin = os.path.realpath(origin)
    return any(
        os.path.commonpath([origin, folder]) == folder for folder in map(os.path.realpath, folders)
    )


def show():
    import traceback

    traceback.print_exc()


def flush():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass


def short(value):
    """Text of at most 2,000 characters that JSON can carry."""
    return str(value)[:2000].encode("utf-8", "backslashreplace").decode("utf-8")


def write(path, result):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(result, file)
