"""Sends to unix sockets of the host: streams and datagrams, by path and by abstract name."""

import os
import socket

from attempts import Attempts


def stream(address):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sender:
        sender.settimeout(2)
        sender.connect(address)
        sender.sendall(b"stolen")


def packets(address):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sender:
        sender.settimeout(2)
        sender.connect(address)
        sender.sendall(b"stolen")


def datagram(address):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"stolen", address)


def datagram_of_a_pair(address):
    one, _other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    one.sendmsg([b"stolen"], [], 0, address)


def stream_through_a_link(address):
    """Meets a broker that looks at a path and connects later: the name lies in the build's own folder."""
    os.symlink(address, "own-socket")
    stream("own-socket")


def do(targets):
    tried = Attempts()
    tried("stream", stream, targets["stream"])
    tried("stream through a link", stream_through_a_link, targets["stream through a link"])
    tried("packets", packets, targets["packets"])
    tried("datagram", datagram, targets["datagram"])
    tried("datagram of a pair", datagram_of_a_pair, targets["datagram of a pair"])
    tried("abstract", stream, "\0" + targets["abstract"])
    return tried
