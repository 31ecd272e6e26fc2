"""Sends over Internet protocols in every way that a build could try."""

import socket
import subprocess

from attempts import Attempts

MSG_FASTOPEN = 0x20000000
IPPROTO_MPTCP = 262


def tcp(port, protocol=0):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, protocol) as sender:
        sender.settimeout(2)
        sender.connect(("127.0.0.1", port))
        sender.sendall(b"stolen")


def tcp6(port):
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as sender:
        sender.settimeout(2)
        sender.connect(("::1", port))
        sender.sendall(b"stolen")


def fast_open(port):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sender:
        sender.settimeout(2)
        sender.sendto(b"stolen", MSG_FASTOPEN, ("127.0.0.1", port))


def udp(port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"stolen", ("127.0.0.1", port))


def udp_connected(port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(("127.0.0.1", port))
        sender.send(b"stolen")


def shell(port):
    subprocess.run(["bash", "-c", "echo stolen > /dev/tcp/127.0.0.1/%d" % port], check=True, timeout=5)


WAYS = {
    "tcp": tcp,
    "tcp6": tcp6,
    "fast open": fast_open,
    "mptcp": lambda port: tcp(port, IPPROTO_MPTCP),
    "shell": shell,
    "udp": udp,
    "udp connected": udp_connected,
}


def do(targets):
    tried = Attempts()
    for way, port in targets.items():
        tried(way, WAYS[way], port)
    return tried
