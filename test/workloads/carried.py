"""Counts, a line `NUMBER SECONDS` a number in FOLDER/0.0, and has something that criu carries only when it is told to.

Usage: carried.py FOLDER flock|posix     a lock on FOLDER/lock, of flock(2) or of fcntl(2)
       carried.py FOLDER deleted BYTES   a file without a name, of so many bytes that are looked at again and again
       carried.py FOLDER program         a program that has deleted its own file: only for a copy of python3

What is not as it was goes to FOLDER/wrong, and it ends.
"""

import fcntl
import hashlib
import os
import sys
import time

folder, way, *words = sys.argv[1:]


def wrong(what):
    """Tells what is wrong, and ends."""
    with open(f"{folder}/wrong", "w") as file:
        file.write(what)
    os._exit(1)


def nothing(number):
    """There is nothing to look at."""


def locked():
    file = open(f"{folder}/lock", "w")
    (fcntl.flock if way == "flock" else fcntl.lockf)(file, fcntl.LOCK_EX)
    return lambda number: file


def deleted():
    content = os.urandom(int(words[0]))
    wanted = hashlib.sha256(content).digest()
    file = open(f"{folder}/deleted", "w+b", buffering=0)
    file.write(bytes(8) + content)
    os.unlink(f"{folder}/deleted")

    def look(number):
        """The number before is there, and all the rest."""
        file.seek(0)
        if int.from_bytes(file.read(8), "big") != number - 1:
            wrong(f"not the number before {number}")
        if number % 50 == 0 and hashlib.sha256(file.read()).digest() != wanted:
            wrong("other content")
        file.seek(0)
        file.write(number.to_bytes(8, "big"))

    return look


if way == "program":
    os.unlink(os.readlink("/proc/self/exe"))
look = {"flock": locked, "posix": locked, "deleted": deleted, "program": lambda: nothing}[way]()
log = open(f"{folder}/0.0", "ab", buffering=0)
number = 0
while True:
    number += 1
    look(number)
    log.write(b"%d %.6f\n" % (number, time.monotonic()))
    time.sleep(0.01)
