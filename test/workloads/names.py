"""Keeps a file of 256 MiB that is all holes but three bytes, mapped as shared memory, and a file by two of its names.

Usage: names.py FOLDER LOG. It writes a number by the one name and looks whether it can be read by the other. When
LOG.ask is there, it is removed and LOG has a line `NUMBER WRONG`: how often that has been wrong.
"""

import mmap
import os
import sys
import time

folder, log = sys.argv[1:]
holes = open(f"{folder}/holes", "w+b")
holes.truncate(1 << 28)
memory = mmap.mmap(holes.fileno(), 1 << 28)
one = open(f"{folder}/one", "w+b", buffering=0)
os.link(f"{folder}/one", f"{folder}/two")
two = open(f"{folder}/two", "r+b", buffering=0)
os.setxattr(f"{folder}/one", "user.colour", b"green")
number = wrong = 0
while True:
    number += 1
    for place in (0, 5 << 20, (1 << 28) - 1):
        memory[place] = number % 256
    os.pwrite(one.fileno(), b"%d\n" % number, 0)
    wrong += os.pread(two.fileno(), 100, 0) != b"%d\n" % number
    if os.path.exists(f"{log}.ask"):
        os.remove(f"{log}.ask")
        with open(f"{log}.part", "w") as file:
            file.write(f"{number} {wrong}\n")
        os.rename(f"{log}.part", log)
    time.sleep(0.005)
