"""Counts, a line `NUMBER SECONDS` a number in FOLDER/0.0, and has a socket of the network meanwhile.

Usage: sockets.py FOLDER server ADDRESS PORT [shared]   answers who connects with its number
       sockets.py FOLDER keeper ADDRESS PORT            keeps who connects, and notes what comes in FOLDER/heard
       sockets.py FOLDER udp ADDRESS PORT               answers datagrams with its number
       sockets.py FOLDER client ADDRESS PORT            sends each number over a connection, and connects again when it
                                                        is closed, which it notes in FOLDER/closed
"""

import errno
import socket
import sys
import time

folder, way, address, port, *words = sys.argv[1:]
log = open(f"{folder}/0.0", "ab", buffering=0)
end = (address, int(port))
family = socket.AF_INET6 if ":" in address else socket.AF_INET
kept = []


def note(name, text):
    """A line in a file of the folder."""
    with open(f"{folder}/{name}", "a") as file:
        file.write(f"{text}\n")


def listening():
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if words:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind(end)
    sock.listen()
    sock.setblocking(False)
    return sock


def connected():
    """A connection, or none where nobody answers."""
    try:
        sock = socket.create_connection(end, timeout=0.5)
    except OSError:
        return None
    sock.setblocking(False)
    return sock


if way == "udp":
    own = socket.socket(family, socket.SOCK_DGRAM)
    own.bind(end)
    own.setblocking(False)
else:
    own = connected() if way == "client" else listening()


def serve(number):
    try:
        peer, _ = own.accept()
    except BlockingIOError:
        return
    if way == "server":
        peer.sendall(b"%d\n" % number)
        peer.close()
    else:
        peer.setblocking(False)
        kept.append(peer)


def hear():
    for peer in list(kept):
        try:
            text = peer.recv(65536)
        except BlockingIOError:
            continue
        except OSError:
            text = b""
        note("heard", text.decode().strip() if text else "closed")
        if not text:
            kept.remove(peer)


def answer(number):
    try:
        _, peer = own.recvfrom(100)
    except BlockingIOError:
        return
    own.sendto(b"%d\n" % number, peer)


def send(number):
    global own
    own = own or connected()
    try:
        if own:
            own.sendall(b"%d\n" % number)
    except OSError as error:
        note("closed", f"{number} {errno.errorcode[error.errno]}")
        own.close()
        own = None
        send(number)


number = 0
while True:
    number += 1
    log.write(b"%d %.6f\n" % (number, time.monotonic()))
    if way == "client":
        send(number)
    elif way == "udp":
        answer(number)
    else:
        serve(number)
        hear()
    time.sleep(0.01)
