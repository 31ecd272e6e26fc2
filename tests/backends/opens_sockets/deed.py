"""Opens sockets that reach out of the build without a connection, and keeps them open while the test looks."""

import socket

import hold
from attempts import Attempts

kept = []


def listen_without_bind():
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.listen(4)
    kept.append(listener)


def listen_on_any_address():
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(("0.0.0.0", 0))
    listener.listen(4)
    kept.append(listener)


def netlink():
    routes = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    routes.bind((0, 0))
    kept.append(routes)


def do(targets):
    tried = Attempts()
    tried("listen", listen_without_bind)
    tried("bind", listen_on_any_address)
    tried("netlink", netlink)
    hold.until_released()
    return tried
