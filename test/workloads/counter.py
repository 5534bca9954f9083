"""Counts, and sums up its memory: counter.py FOLDER BYTES [PROCESSES [THREADS]].

Each process is the child of the one before it. Each thread writes a line `NUMBER SECONDS` to FOLDER/PROCESS.THREAD, ten
milliseconds a number; each process a line `SECONDS SHA256` of its random bytes to FOLDER/PROCESS.sums, now and then. The
clock is the one of the day: criu gives what it restores a monotonic clock of its own, which does not show the stop.
The kernel's name of it is what COMMAND in its environment says.
"""

import ctypes
import hashlib
import os
import sys
import threading
import time

folder, size = sys.argv[1], int(sys.argv[2])
processes, threads = ([int(text) for text in sys.argv[3:]] + [1, 1])[:2]
process = 0
if name := os.environ.get("COMMAND"):
    ctypes.CDLL(None).prctl(15, name.encode(), 0, 0, 0)  # PR_SET_NAME
while process + 1 < processes and os.fork() == 0:
    process += 1
ballast = os.urandom(size)
sums = open(f"{folder}/{process}.sums", "ab", buffering=0)


def count(thread):
    """Never ends."""
    with open(f"{folder}/{process}.{thread}", "ab", buffering=0) as log:
        number = 0
        while True:
            if thread == 0 and number % 50 == 0:
                digest = hashlib.sha256(ballast).hexdigest().encode()
                sums.write(b"%.6f %s\n" % (time.time(), digest))
            number += 1
            log.write(b"%d %.6f\n" % (number, time.time()))
            time.sleep(0.01)


for each in range(1, threads):
    threading.Thread(target=count, args=(each,), daemon=True).start()
count(0)
