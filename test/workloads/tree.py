"""Becomes a tree of processes that count, and that notice when something of what they share goes wrong.

Usage: tree.py FOLDER SPEC, where SPEC is JSON: a list of tasks, each {"parent": INDEX} of an earlier one, and for what it
has besides, the keys of `shape` below. Task 0 is this process.

Each task writes a line `NUMBER SECONDS` to FOLDER/INDEX.0, ten milliseconds a number. One that shares something with its
parent writes such a line to FOLDER/INDEX.taken for what comes of there. One that finds something wrong writes it to
FOLDER/INDEX.wrong and ends.
"""

import ctypes
import fcntl
import json
import mmap
import os
import select
import socket
import struct
import sys
import time

folder, tasks = sys.argv[1], json.loads(sys.argv[2])
libc = ctypes.CDLL(None, use_errno=True)
SIZE = 4096


def wrong(index, what):
    """Tells what is wrong, and ends."""
    with open(f"{folder}/{index}.wrong", "w") as file:
        file.write(what)
    os._exit(1)


class Link:
    """What a task shares with its parent: the parent puts a number in, the task takes the next one out."""

    def __init__(self, kind):
        self.kind, self.number = kind, 0
        if kind == "pipe":
            self.reader, self.writer = os.pipe()
        elif kind == "pair":
            ours, theirs = socket.socketpair()
            self.reader, self.writer = ours.detach(), theirs.detach()
        else:
            self.memory = mmap.mmap(-1, SIZE)

    def descriptors(self, end):
        """Those of one end."""
        return [] if self.kind == "memory" else [self.reader if end == "child" else self.writer]

    def forget(self):
        """Has no part in it any more; descriptors are closed with the others."""
        if self.kind == "memory":
            self.memory.close()

    def give(self):
        """The parent's part of a tick."""
        self.number += 1
        if self.kind == "memory":
            self.memory[:8] = struct.pack("Q", self.number)
        elif select.select([], [self.writer], [], 0)[1]:
            os.write(self.writer, struct.pack("Q", self.number))
        else:
            self.number -= 1

    def take(self, index):
        """The child's part: what comes is what comes next. Whether anything has come."""
        before = self.number
        if self.kind == "memory":
            (number,) = struct.unpack("Q", self.memory[:8])
            if number < self.number:
                wrong(index, f"the shared memory went from {self.number} back to {number}")
            self.number = number
            return number > before
        while select.select([self.reader], [], [], 0)[0]:
            data = os.read(self.reader, 8)
            if len(data) == 0:
                wrong(index, "the parent's end is closed")
            (number,) = struct.unpack("Q", data)
            if number != self.number + 1:
                wrong(index, f"{number} came after {self.number}")
            self.number = number
        return self.number > before


class Own:
    """What a task has for itself, and looks after at each tick."""

    def __init__(self, index, shape):
        self.index, self.number, self.keep = index, 0, []
        self.mapped = self.deleted = None
        path = f"{folder}/{index}"
        if "mapped" in shape["files"]:
            file = self.open(f"{path}.map")
            os.ftruncate(file, SIZE)
            self.mapped = mmap.mmap(file, SIZE)
        if "deleted" in shape["files"]:
            self.deleted = self.open(f"{path}.deleted")
            os.unlink(f"{path}.deleted")
            os.pwrite(self.deleted, struct.pack("Q", 0), 0)
        if shape["lock"] == "flock":
            fcntl.flock(self.open(f"{path}.lock"), fcntl.LOCK_EX)
        if shape["lock"] == "posix":
            fcntl.lockf(self.open(f"{path}.lock"), fcntl.LOCK_EX)
        if shape["listens"]:
            self.keep.append(socket.create_server(("127.0.0.1", 0)))
        self.ipc(shape["ipc"])

    def open(self, path):
        """A descriptor that stays open."""
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def ipc(self, kind):
        """An object of the kernel that has no file."""
        made = 0
        if kind == "memory":
            made = libc.shmget(0, SIZE, 0o1600)
            libc.shmat.restype = ctypes.c_void_p
            libc.shmat(made, None, 0)
        elif kind == "semaphores":
            made = libc.semget(0, 1, 0o1600)
            libc.semop(made, struct.pack("HhH", 0, 1, 0), 1)
        elif kind == "queue":
            made = libc.msgget(0, 0o1600)
            libc.msgsnd(made, struct.pack("l8s", 1, b"message."), 8, 0)
        elif kind == "posix-queue":
            made = libc.mq_open(f"/tree-{os.getpid()}".encode(), os.O_RDWR | os.O_CREAT, 0o600, None)
        if made == -1:
            wrong(self.index, f"{kind} can't be made: {os.strerror(ctypes.get_errno())}")

    def look(self):
        """What was written is what is read."""
        for name, read in [
            ("mapped file", lambda: self.mapped and self.mapped[:8]),
            ("deleted file", lambda: self.deleted and os.pread(self.deleted, 8, 0)),
        ]:
            data = read()
            if data and struct.unpack("Q", data) != (self.number,):
                wrong(self.index, f"the {name} has {struct.unpack('Q', data)[0]}, not {self.number}")
        self.number += 1
        data = struct.pack("Q", self.number)
        if self.mapped:
            self.mapped[:8] = data
        if self.deleted:
            os.pwrite(self.deleted, data, 0)


def become(index, links):
    """Forks its children, and counts from then on."""
    shape, down = tasks[index], []
    if shape["session"] and index > 0:
        os.setsid()
    elif shape["group"] and index > 0:
        os.setpgid(0, 0)
    for child, each in enumerate(tasks):
        if child == 0 or each["parent"] != index:
            continue
        link = Link(each["link"]) if each["link"] else None
        pid = os.fork()
        if pid == 0:
            for other in links + down:
                other.forget()
            if each["orphan"] and os.fork() > 0:
                os._exit(0)
            own = [link] if link else []
            keep = [number for one in own for number in one.descriptors("child")]
            close_all_but(keep)
            return become(child, own)
        if each["orphan"]:
            os.waitpid(pid, 0)
        if link:
            down.append(link)
    keep = [n for one in links for n in one.descriptors("child")]
    keep += [n for one in down for n in one.descriptors("parent")]
    close_all_but(keep)
    count(index, links, down)


def close_all_but(keep):
    """What belongs to others of the tree is not held open."""
    for number in range(3, 256):
        if number not in keep:
            try:
                os.close(number)
            except OSError:
                pass


def count(index, up, down):
    """Never ends."""
    own, number = Own(index, tasks[index]), 0
    log = open(f"{folder}/{index}.0", "ab", buffering=0)
    taken = open(f"{folder}/{index}.taken", "ab", buffering=0) if up else None
    while True:
        number += 1
        own.look()
        for link in down:
            link.give()
        for link in up:
            if link.take(index):
                taken.write(b"%d %.6f\n" % (link.number, time.time()))
        log.write(b"%d %.6f\n" % (number, time.time()))
        time.sleep(0.01)


null = os.open("/dev/null", os.O_RDWR)
for standard in range(3):
    os.dup2(null, standard)
become(0, [])
