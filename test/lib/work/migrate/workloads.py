"""A process that uses one thing: workloads.py MODE [ARGUMENT]. It prints a line `ready PID` with the PID to ask about."""
import ctypes
import fcntl
import mmap
import os
import select
import socket
import subprocess
import sys
import threading
import time

mode, argument = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ''
libc = ctypes.CDLL(None, use_errno=True)
pid = os.getpid()
kept = []


def syscall(number, *arguments):
    result = libc.syscall(number, *arguments)
    if result < 0:
        print('absent', os.strerror(ctypes.get_errno()), flush=True)
        sys.exit(1)
    return result


def child(run=lambda: None):
    """A process that runs something and stays."""
    born = os.fork()
    if born == 0:
        run()
        while True:
            time.sleep(1000)
    return born


def tick(path):
    """Numbers and the monotonic clock, every 5 ms, in a file."""
    with open(path, 'a') as log:
        number = 0
        while True:
            log.write(f'{number} {time.monotonic():.4f}\n')
            log.flush()
            number += 1
            time.sleep(0.005)


def background(path):
    threading.Thread(target=tick, args=(path,), daemon=True).start()


if mode == 'counter':
    background(argument)
elif mode == 'tree':
    child(lambda: tick(argument + '.1'))
    child(lambda: tick(argument + '.2'))
    background(argument + '.0')
elif mode == 'threads':
    for each in range(3):
        background(f'{argument}.{each}')
elif mode == 'kinds':
    kept += [select.epoll(), socket.socketpair(), os.pipe()]
    syscall(290, 0, 0)  # eventfd2
    syscall(283, 1, 0)  # timerfd_create
    kept.append(os.memfd_create('memory'))
    watch = libc.inotify_init()
    os.makedirs('/tmp/watched', exist_ok=True)
    libc.inotify_add_watch(watch, b'/tmp/watched', 2)
    shared = mmap.mmap(-1, 4096)
    kept += [open('/proc/self/stat'), open('/dev/urandom'), socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)]
    kept[-1].bind((0, 0))
    small = open('/tmp/small', 'w')
    small.write('small')
    small.flush()
    os.unlink('/tmp/small')
    kept.append(os.pidfd_open(child()))
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(argument)
    listening.listen()
    ends = os.pipe()
    os.dup2(ends[0], 0)
    os.close(ends[0])
    os.close(ends[1])
elif mode == 'tcp':
    kept.append(socket.create_server(('127.0.0.1', 4711)))
elif mode == 'udp':
    kept.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    kept[0].connect(('127.0.0.1', 4712))
elif mode == 'unbound':
    kept.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
elif mode == 'packet':
    kept.append(socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
elif mode == 'unix-server':
    kept.append(socket.socket(socket.AF_UNIX))
    kept[0].bind(argument)
    kept[0].listen()
    print('ready', pid, flush=True)
    kept.append(kept[0].accept())
    time.sleep(100000)
elif mode == 'unix-client':
    kept.append(socket.socket(socket.AF_UNIX))
    kept[0].connect(argument)
elif mode == 'terminal':
    import pty

    pid, terminal = pty.fork()
    if pid == 0:
        time.sleep(100000)
elif mode == 'terminal-open':
    kept += [os.open('/dev/ptmx', os.O_RDWR | os.O_NOCTTY)]
elif mode == 'open':
    kept.append(open(argument))
elif mode == 'write':
    kept.append(open(argument, 'r+'))
elif mode == 'map':
    with open(argument, 'r+b') as file:
        kept.append(mmap.mmap(file.fileno(), 4096))
elif mode == 'share':
    kept.append(open(argument, 'a+b'))
    kept[0].truncate(4096)
    kept.append(mmap.mmap(kept[0].fileno(), 4096))
elif mode == 'database':
    import sqlite3
    kept.append(sqlite3.connect(argument))
    kept[0].execute('CREATE TABLE numbers (number)')
elif mode == 'folder':
    os.chdir(argument)
elif mode == 'fifo':
    kept.append(os.open(argument, os.O_RDWR))
elif mode == 'pipe':
    # Its reader is nobody's child but that of PID 1.
    ends = os.pipe()
    between = os.fork()
    if between == 0:
        os.setsid()
        child(lambda: os.close(ends[1])) and os._exit(0)
    os.waitpid(between, 0)
    os.close(ends[0])
elif mode == 'deleted':
    kept.append(open('/tmp/deleted', 'w'))
    kept[0].truncate(2**30 + 1)
    os.unlink('/tmp/deleted')
elif mode == 'renamed':
    kept.append(open('/tmp/renamed', 'w'))
    os.link('/tmp/renamed', '/tmp/renamed-too')
    os.unlink('/tmp/renamed')
elif mode == 'flock':
    kept.append(open('/tmp/flock', 'w'))
    fcntl.flock(kept[0], fcntl.LOCK_EX)
elif mode == 'posix-lock':
    kept.append(open('/tmp/posix-lock', 'w'))
    fcntl.lockf(kept[0], fcntl.LOCK_EX)
elif mode == 'inotify':
    watch = libc.inotify_init()
    libc.inotify_add_watch(watch, argument.encode(), 2)
elif mode == 'io-uring':
    kept.append(syscall(425, 4, (ctypes.c_uint32 * 30)()))
elif mode == 'device':
    kept.append(os.open('/dev/net/tun', os.O_RDWR))
elif mode == 'perf':
    attributes = (ctypes.c_uint32 * 32)(1, 128)
    kept.append(syscall(298, attributes, 0, -1, -1, 0))
elif mode == 'userfaultfd':
    kept.append(syscall(323, 0))
elif mode == 'sysv':
    libc.shmat.restype = ctypes.c_void_p
    libc.shmat(libc.shmget(0, 4096, 0o1600), None, 0)
elif mode == 'semaphores':
    libc.semop(libc.semget(0, 1, 0o1600), (ctypes.c_short * 3)(0, 1, 0), 1)
elif mode == 'queue':
    libc.msgsnd(libc.msgget(0, 0o1600), (ctypes.c_long * 2)(1, 1), 8, 0)
elif mode == 'posix-queue':
    syscall(240, b'queue', os.O_CREAT | os.O_RDWR, 0o600, None)  # mq_open
elif mode == 'unmapped':
    libc.shmget(0, 4096, 0o1600)
elif mode == 'pidfd':
    kept.append(os.pidfd_open(1))
elif mode == 'watched':
    devnull = subprocess.DEVNULL
    started = subprocess.Popen(['sleep', '100000'], stdin=devnull, stdout=devnull, stderr=devnull, start_new_session=True)
    pid = started.pid
elif mode == 'group':
    # The leader of the group has ended; a member of it has not.
    ends = os.pipe()
    leader = os.fork()
    if leader == 0:
        os.setpgid(0, 0)
        os.read(ends[0], 1)
        os._exit(0)
    time.sleep(0.1)
    child(lambda: os.setpgid(0, leader))
    time.sleep(0.1)
    os.write(ends[1], b'x')
    os.waitpid(leader, 0)
    os.close(ends[0])
    os.close(ends[1])
elif mode == 'zombie':
    pid = os.fork()
    if pid == 0:
        os._exit(0)
elif mode == 'traced':
    pid = child(os.setsid)
    time.sleep(0.1)
    libc.ptrace(0x4206, pid, None, None)  # PTRACE_SEIZE
elif mode == 'limiter':
    libc.prctl(15, b'cpulimit', 0, 0, 0)  # PR_SET_NAME
elif mode == 'odd-command':
    libc.prctl(15, b'a) R 1\nb', 0, 0, 0)  # PR_SET_NAME
elif mode == 'vfork':
    # It gets its memory back when the child has ended, and waits for that in the kernel.
    print('ready', pid, flush=True)
    if libc.vfork() == 0:
        time.sleep(100000)
elif mode == 'odd-name':
    kept.append(open(b'/tmp/odd-\xff', 'w'))
else:
    sys.exit(f'no such mode: {mode}')
print('ready', pid, flush=True)
while True:
    time.sleep(1000)
