"""Carries frames between a host's cable and the switch; delays and loses what the host sends.

Arguments: HOST_SIDE SWITCH_SIDE DELAY_MS JITTER_MS LOSS_PERCENT
"""

import heapq
import random
import select
import socket
import sys
import time

SOL_PACKET = 263
PACKET_VNET_HDR = 15
PACKET_IGNORE_OUTGOING = 23
ETH_P_ALL = 3


def listen(name):
    device = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    # Frames on a virtual cable carry unfinished checksums and segments larger than the MTU; the header
    # in front of each says so, and is handed on with it.
    device.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    device.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    device.bind((name, ETH_P_ALL))
    device.setblocking(False)
    return device


def send(device, frame):
    try:
        device.send(frame)
    except OSError:
        pass  # A full queue or a link that is down loses the frame, as a cable would.


def receive(device):
    try:
        return device.recv(1 << 18)
    except OSError:
        return b""


host, switch = listen(sys.argv[1]), listen(sys.argv[2])
delay, jitter, loss = (float(text) for text in sys.argv[3:6])
under_way = []
number = 0
print("ready", flush=True)
while True:
    now = time.monotonic()
    while under_way and under_way[0][0] <= now:
        send(switch, heapq.heappop(under_way)[2])
    wait = under_way[0][0] - now if under_way else None
    readable, _, _ = select.select([host, switch], [], [], wait)
    if switch in readable and (frame := receive(switch)):
        send(host, frame)
    if host in readable and (frame := receive(host)):
        if random.uniform(0, 100) >= loss:
            number += 1
            due = time.monotonic() + max(0, delay + random.uniform(-jitter, jitter)) / 1000
            heapq.heappush(under_way, (due, number, frame))
