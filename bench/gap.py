"""Holds so many bytes, and at SIGUSR1 writes to /var/tmp/gap for how long it has stood still at most, in seconds.

By the wall clock: criu gives what it restores a monotonic clock that has stood still with it.
"""

import os
import signal
import sys
import time

os.closerange(3, 256)
ballast = bytearray(os.urandom(int(sys.argv[1])))
longest = 0.0
told = False


def tell(signum, frame):
    global told
    told = True


signal.signal(signal.SIGUSR1, tell)
open("/var/tmp/ready", "w").close()
last = time.time()
while True:
    time.sleep(0.001)
    now = time.time()
    longest = max(longest, now - last)
    last = now
    if told:
        told = False
        with open("/var/tmp/gap.part", "w") as file:
            file.write(repr(longest))
        os.rename("/var/tmp/gap.part", "/var/tmp/gap")
