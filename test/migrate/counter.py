"""Counts into a file, ten milliseconds a number, and checks its memory: `N MONOTONIC_SECONDS` or `N … DAMAGED`."""

import hashlib
import os
import sys
import time

os.closerange(3, 256)
ballast = bytearray(os.urandom(int(sys.argv[2])))
digest = hashlib.sha256(ballast).digest()
with open(sys.argv[1], "ab", buffering=0) as log:
    number = 0
    while True:
        number += 1
        good = number % 50 != 0 or hashlib.sha256(ballast).digest() == digest
        log.write(b"%d %.6f%s\n" % (number, time.monotonic(), b"" if good else b" DAMAGED"))
        time.sleep(0.01)
