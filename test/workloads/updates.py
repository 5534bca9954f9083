"""Updates what it shares, a number every two milliseconds, and can tell whether one of them was lost.

Usage: updates.py WAY PATH LOG. WAY is `mapped` (a file that is mapped MAP_SHARED), `memory` (multiprocessing.shared_memory
by the name PATH, updated by two processes), `database` (SQLite with mmap_size) or `wal` (the same with a write-ahead log). Each number is written to its own
place, and how far it has come is kept in the process alone: when LOG.ask is there, it is removed and LOG has a line
`NUMBER LOST`, with how many of the numbers up to NUMBER are not in their places.
"""

import mmap
import os
import sqlite3
import struct
import sys
import time

way, path, log = sys.argv[1:]
PLACES = 1 << 19


def tell(number, lost):
    with open(f"{log}.part", "w") as file:
        file.write(f"{number} {lost}\n")
    os.rename(f"{log}.part", log)


def asked():
    if not os.path.exists(f"{log}.ask"):
        return False
    os.remove(f"{log}.ask")
    return True


def fill(places, first, step):
    """Writes to each place, from the first on, its own number; never ends."""
    # A page that is touched for the first time moves a time of its file; one that is written to again does not.
    if step == 1:
        places[:] = bytes(len(places))
    number = first
    while True:
        struct.pack_into("<Q", places, 8 * (number % PLACES), number)
        if step == 1 or first == 1:
            if asked():
                have = struct.unpack_from(f"<{number + 1}Q", places)
                tell(number, sum(have[each] != each for each in range(first, number + 1, step)))
        number += step
        time.sleep(0.002)


if way == "mapped":
    with open(path, "w+b") as file:
        file.truncate(8 * PLACES)
        fill(mmap.mmap(file.fileno(), 8 * PLACES), 1, 1)
elif way == "memory":
    from multiprocessing import shared_memory

    memory = shared_memory.SharedMemory(path, create=True, size=8 * PLACES)
    memory.buf[:] = bytes(8 * PLACES)
    child = os.fork()
    fill(memory.buf, 1 if child else 2, 2)
else:
    database = sqlite3.connect(path, isolation_level=None)
    if way == "wal":
        database.execute("PRAGMA journal_mode=WAL")
    database.execute(f"PRAGMA mmap_size={1 << 26}")
    database.execute("CREATE TABLE numbers (number INTEGER PRIMARY KEY)")
    number = 0
    while True:
        number += 1
        database.execute("INSERT INTO numbers VALUES (?)", (number,))
        if asked():
            (count,) = database.execute("SELECT count(*) FROM numbers WHERE number <= ?", (number,)).fetchone()
            (whole,) = database.execute("PRAGMA integrity_check").fetchone()
            tell(number, number - count + (whole != "ok"))
        time.sleep(0.03)
