"""A counter with two children in process groups of their own that tell who wakes them: groups.py FOLDER.

Each child writes the name of a signal to FOLDER/woken as soon as it gets it; it does nothing else.
"""

import os
import signal
import sys
import time

folder = sys.argv[1]


def tell(number, _frame):
    """Says which signal has come."""
    with open(f"{folder}/woken", "a") as woken:
        woken.write(f"{os.getpid()} {signal.Signals(number).name}\n")


children = []
for _ in range(2):
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        for each in (signal.SIGCONT, signal.SIGHUP):
            signal.signal(each, tell)
        while True:
            # Not signal.pause(): a signal that comes just before it is only told of after the next.
            time.sleep(0.05)
    children.append(child)
with open(f"{folder}/0.0", "ab", buffering=0) as log:
    number = 0
    while True:
        number += 1
        log.write(b"%d %.6f\n" % (number, time.time()))
        time.sleep(0.01)
