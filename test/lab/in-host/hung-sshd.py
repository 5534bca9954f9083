"""Listens where sshd would, accepts every connection and never says a byte."""

import socket

listener = socket.create_server(("", 22), backlog=64)
held = []
while True:
    held.append(listener.accept()[0])
