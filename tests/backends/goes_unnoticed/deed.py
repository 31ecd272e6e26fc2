"""Does what whoever started the build should hear of: calls a socket of the host, reaches out, reads a credential."""

import os
import socket

from attempts import Attempts


def call(path):
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(path)


def reach_out(port):
    with socket.create_connection(("127.0.0.1", port), 5):
        pass


def read_credential():
    with open(os.path.expanduser("~/.netrc")) as file:
        return file.read()


def do(targets):
    tried = Attempts()
    tried("connect", call, targets["path"])
    tried("socket", reach_out, targets["port"])
    found = tried("decoy", read_credential)
    # In a build the credential is a decoy, and a wheel with a decoy in it would be refused.
    print("read:", found, flush=True)
    return {}
