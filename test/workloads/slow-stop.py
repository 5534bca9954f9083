"""Prints the states of a process's two threads after COMMAND has ended: slow-stop.py COMMAND...

The process is stopped; one of its threads stops half a second later than the other, as one does that hardly gets a CPU.
The command gets the PID as its last argument.
"""

import ctypes
import glob
import os
import signal
import subprocess
import sys
import threading
import time

# Numbers of linux/ptrace.h.
SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17
libc = ctypes.CDLL(None, use_errno=True)


def ptrace(request, thread):
    if libc.ptrace(request, thread, None, None) != 0:
        sys.exit(f"ptrace {request}: {os.strerror(ctypes.get_errno())}")


def states(process):
    texts = [open(f"{task}/stat").read() for task in sorted(glob.glob(f"/proc/{process}/task/*"))]
    return " ".join(text.rsplit(") ", 1)[1][0] for text in texts)


def wait_for(process, wanted):
    for _ in range(1000):
        if states(process) == wanted:
            return
        time.sleep(0.005)
    sys.exit(f"{wanted!r} does not come: {states(process)!r}")


process = os.fork()
if process == 0:
    threading.Thread(target=time.sleep, args=(60,)).start()
    time.sleep(60)
    os._exit(0)
try:
    wait_for(process, "S S")
    second = int(max(glob.glob(f"/proc/{process}/task/*"), key=lambda path: int(path.rsplit("/", 1)[1])).rsplit("/", 1)[1])
    ptrace(SEIZE, second)
    ptrace(INTERRUPT, second)
    wait_for(process, "S t")
    os.kill(process, signal.SIGSTOP)
    wait_for(process, "T t")
    command = subprocess.Popen([*sys.argv[1:], str(process)])
    try:
        command.wait(0.5)
    except subprocess.TimeoutExpired:
        ptrace(DETACH, second)
        command.wait(30)
    print(states(process), end="")
finally:
    os.kill(process, signal.SIGKILL)
