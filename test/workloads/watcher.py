"""Writes a line to `events` for everything that inotify tells of a file or folder. Usage: watcher.py PATH"""

import ctypes
import os
import sys

IN_MODIFY, IN_CREATE = 2, 0x100
libc = ctypes.CDLL(None, use_errno=True)
watch = libc.inotify_init()
if libc.inotify_add_watch(watch, sys.argv[1].encode(), IN_MODIFY | IN_CREATE) < 0:
    raise OSError(ctypes.get_errno(), sys.argv[1])
with open("events", "w", buffering=1) as events:
    print("begins", file=events)
    while os.read(watch, 4096):
        print("event", file=events)
