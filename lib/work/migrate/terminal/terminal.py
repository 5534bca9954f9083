"""A terminal for a process that comes from another machine, and the way into it.

    terminal.py hold FOLDER MARK ROWS COLUMNS NUMBER COMMAND…
    terminal.py attach FOLDER
    terminal.py view FOLDER

It needs Python's standard library as far as python3-minimal has it; criu's package brings Python along.

Several processes have the terminal, so that the death of one is not the terminal's death, nor wakes who stands still in it.
The holder passes on what is typed and what is shown. The standby keeps the terminal open meanwhile, and becomes the holder
when that dies. The leader leads the terminal's session and does nothing else. Its child starts the command that restores
the process, and then leaves the session: so neither has a parent there. A group whose parents are elsewhere from the
beginning is never told by the kernel that it has become so, which would wake it (SIGHUP and SIGCONT, see setpgid(2)). Until
the process may run, the foreground is the leader's own group, where a hangup does no harm.

FOLDER has `holders`, a line ROLE PID START each; `slave`, the path of the terminal; `socket`, for those who look on; the
pipes `go`, from which the command reads a line before it begins, and `done`, where a line tells its status; and, once the process may run, `running`: the
number of the foreground group, the user's number, a line PID START … for each of its tasks, and a line `end`. MARK is a file that
says, once it is there, that nothing of this is wanted any more. The terminal is /dev/pts/NUMBER where nobody else has that:
what the process has opened more than once, criu opens by its name.
"""

import errno
import fcntl
import os
import pwd
import select
import signal
import socket
import struct
import sys
import termios
import time

# So much of what was shown is shown to who comes later.
REPLAY_BYTES = 1 << 17
# Who takes no more than that is left behind: it must not hold up the process.
MOST_QUEUED = 1 << 22
LOOK_SECONDS = 2
MOST_TRIES = 200
TMUX = ("tmux", "-u", "-L", "resource-sharing", "-f", "/dev/null")


def start_of(pid):
    """When a process was started, in ticks; None when there is none, or it has ended."""
    try:
        with open("/proc/%d/stat" % pid, "rb") as file:
            fields = file.read().rsplit(b")", 1)[1].split()
    except (OSError, IndexError):
        return None
    return None if fields[0] in (b"Z", b"X") else int(fields[19])


def is_there(pid, start):
    return start_of(pid) == start


def set_size(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def size_of(fd):
    return struct.unpack("HHHH", fcntl.ioctl(fd, termios.TIOCGWINSZ, bytes(8)))[:2]


def ignore(*names):
    for name in names:
        signal.signal(getattr(signal, "SIG" + name), signal.SIG_IGN)


def close_but(*keep):
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) not in keep:
            try:
                os.close(int(name))
            except OSError:
                pass


def to_nothing():
    null = os.open("/dev/null", os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.close(null)


def new_pty(number):
    """The kernel gives the lowest number that is free: those below it are taken meanwhile."""
    wanted = "/dev/pts/%d" % number
    others = []
    pty = None
    while pty is None and len(others) < MOST_TRIES and not os.path.exists(wanted):
        each = os.openpty()
        if os.ttyname(each[1]) == wanted:
            pty = each
        else:
            others.append(each)
    if pty is None:
        pty = others.pop() if others else os.openpty()
    for each in others:
        for fd in each:
            os.close(fd)
    return pty


class Terminal:
    """What its processes share."""

    def __init__(self, folder, mark=""):
        self.folder, self.mark, self.name = folder, mark, os.path.basename(folder)
        self.master = -1
        self.listener = None
        self.holders = {}

    def path(self, name):
        return os.path.join(self.folder, name)

    def is_unwanted(self):
        return os.path.exists(self.mark) or not os.path.exists(self.path("holders"))

    def record(self, role, pid):
        self.holders[role] = (pid, start_of(pid) or 0)
        with open(self.path("holders.part"), "w") as file:
            for name, holder in self.holders.items():
                file.write("%s %d %d\n" % ((name,) + holder))
        os.rename(self.path("holders.part"), self.path("holders"))

    def running(self):
        """The foreground group, the user, and the tasks; None while the process may not run."""
        try:
            with open(self.path("running")) as file:
                text = file.read()
        except OSError:
            return None
        if not text.endswith("end\n"):
            return None
        first, *tasks, _ = text.splitlines()
        group, uid = first.split()
        return int(group), int(uid), [tuple(int(word) for word in task.split()[:2]) for task in tasks]

    def begin(self, rows, columns, number, command):
        """Makes the terminal. Who undoes the migration makes the mark first, and then kills who is recorded: so what is
        started after that finds the mark, and what was started before is found."""
        os.setsid()
        ignore("HUP", "INT", "QUIT", "TSTP", "PIPE")
        self.record("holder", os.getpid())
        if self.is_unwanted():
            os._exit(1)
        self.master, slave = new_pty(number)
        set_size(self.master, rows, columns)
        with open(self.path("slave"), "w") as file:
            file.write(os.ttyname(slave) + "\n")
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(self.path("socket"))
        self.listener.listen(16)
        waits, begin = os.pipe()
        # Here already: who finds nobody at the other end of a pipe takes the leader for dead.
        go, done = (os.open(self.path(name), os.O_RDWR) for name in ("go", "done"))
        leader = os.fork()
        if leader == 0:
            os.close(begin)
            os.close(self.master)
            self.listener.close()
            lead(self, slave, waits, go, done, command)
        for fd in (waits, slave, go, done):
            os.close(fd)
        self.record("leader", leader)
        holder = Holder(self)
        holder.new_standby()
        if self.is_unwanted():
            os._exit(1)
        os.write(begin, b"!")
        os.close(begin)
        return holder

    def view(self, uid, rows, columns):
        """Where tmux is there, a session of it keeps the screen; it looks on as everybody does, and may end at any time."""
        child = os.fork()
        if child == 0:
            try:
                close_but()
                become(uid)
                look = "exec %s -I -S %s view %s" % (sys.executable, self.path("terminal.py"), self.folder)
                session = ("new-session", "-d", "-s", self.name, "-x", str(columns), "-y", str(rows), look)
                # A line of tmux's own would take one from the process.
                os.execvp(TMUX[0], TMUX + ("set-option", "-g", "status", "off", ";") + session)
            finally:
                os._exit(1)
        return child


def become(uid):
    """Goes on as a user, with nothing of root's."""
    user = pwd.getpwuid(uid)
    if os.getuid() != uid:
        os.initgroups(user.pw_name, user.pw_gid)
        os.setgid(user.pw_gid)
        os.setuid(uid)
    os.environ.update(HOME=user.pw_dir, USER=user.pw_name, LOGNAME=user.pw_name, SHELL=user.pw_shell, LC_ALL="C.UTF-8")
    os.environ.pop("TMUX", None)
    os.chdir("/")


class Holder:
    """Who passes on what is typed and shown."""

    def __init__(self, terminal):
        self.terminal = terminal
        self.standby, self.lifeline = 0, -1
        self.shown = bytearray()
        self.clients = {}
        self.tasks = None
        # Nobody has the terminal open.
        self.silent = False

    def new_standby(self):
        if self.lifeline != -1:
            os.close(self.lifeline)
        waits, self.lifeline = os.pipe()
        self.standby = os.fork()
        if self.standby == 0:
            os.close(self.lifeline)
            for client in self.clients.values():
                client.connection.close()
            stand_by(self.terminal, waits)
        os.close(waits)
        self.terminal.record("standby", self.standby)

    def serve(self):
        terminal = self.terminal
        woken, wake = os.pipe()
        for fd in (woken, wake, terminal.master):
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(wake)
        for each in (signal.SIGUSR1, signal.SIGCHLD):
            signal.signal(each, lambda *_: None)
        looked = 0
        while True:
            poll = select.poll()
            poll.register(woken, select.POLLIN)
            poll.register(terminal.listener, select.POLLIN)
            if not self.silent:
                poll.register(terminal.master, select.POLLIN)
            for fd, client in self.clients.items():
                poll.register(fd, select.POLLIN | (select.POLLOUT if client.queued else 0))
            for fd, events in poll.poll(LOOK_SECONDS * 1000):
                if fd == woken:
                    os.read(woken, 512)
                    looked = 0
                elif fd == terminal.listener.fileno():
                    connection, _ = terminal.listener.accept()
                    self.clients[connection.fileno()] = Client(connection, self.shown)
                elif fd == terminal.master:
                    self.show()
                elif not self.clients[fd].turn(terminal.master, events):
                    self.clients.pop(fd).connection.close()
            if time.monotonic() - looked >= LOOK_SECONDS:
                looked = time.monotonic()
                self.look()

    def show(self):
        try:
            shown = os.read(self.terminal.master, 1 << 16)
        except BlockingIOError:
            return
        except OSError:
            self.silent = True
            return
        self.silent = False
        self.shown += shown
        del self.shown[:-REPLAY_BYTES]
        for client in self.clients.values():
            client.queued += shown

    def look(self):
        """Sees to it that somebody stands by, that tmux looks on, and that all this ends with the process."""
        terminal = self.terminal
        try:
            while os.waitpid(-1, os.WNOHANG)[0] != 0:
                pass
        except ChildProcessError:
            pass
        if terminal.is_unwanted():
            self.end()
        if start_of(self.standby) is None:
            self.new_standby()
        if self.silent:
            # Somebody may have opened it again.
            self.show()
        if self.tasks is None:
            running = terminal.running()
            if running is not None:
                _, uid, self.tasks = running
                os.chown(terminal.path("socket"), uid, -1)
                terminal.view(uid, *size_of(terminal.master))
        elif self.silent and not any(is_there(*task) for task in self.tasks):
            self.end()

    def end(self):
        """The last who were shown something see all of it."""
        for client in self.clients.values():
            client.connection.settimeout(1)
            try:
                client.connection.sendall(client.queued)
            except OSError:
                pass
        for name in os.listdir(self.terminal.folder):
            os.unlink(self.terminal.path(name))
        os.rmdir(self.terminal.folder)
        leader = self.terminal.holders["leader"]
        if is_there(*leader):
            os.kill(leader[0], signal.SIGKILL)
        os._exit(0)


def stand_by(terminal, waits):
    """Waits until the holder is gone, and becomes it."""
    signal.set_wakeup_fd(-1)
    os.setsid()
    while os.read(waits, 1):
        pass
    os.close(waits)
    if terminal.is_unwanted():
        os._exit(0)
    terminal.record("holder", os.getpid())
    holder = Holder(terminal)
    holder.new_standby()
    holder.serve()


def lead(terminal, slave, waits, go, done, command):
    """Leads the session of the terminal. At SIGUSR1 its foreground becomes the process's."""
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    ignore("HUP", "INT", "QUIT", "TERM", "TSTP", "TTIN", "TTOU", "PIPE")
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    if not os.read(waits, 1):
        os._exit(0)
    child = os.fork()
    if child == 0:
        for fd in (go, done):
            os.close(fd)
        restore(slave, command)
    _, status = os.waitpid(child, 0)
    to_foreground(slave, os.getpgrp())
    os.write(done, b"%d\n" % (status >> 8 or status))
    if status != 0:
        os._exit(1)
    os.close(go)
    os.close(done)
    while signal.sigtimedwait([signal.SIGUSR1], LOOK_SECONDS) is None:
        if terminal.is_unwanted():
            os._exit(0)
    to_foreground(slave, terminal.running()[0])
    # From now on it is silent when nobody else has it open.
    os.close(slave)
    while not terminal.is_unwanted():
        time.sleep(LOOK_SECONDS)
    os._exit(0)


def to_foreground(slave, group):
    try:
        os.tcsetpgrp(slave, group)
    except OSError:
        # The process leads a session of its own, and has taken the terminal along: criu has given it its foreground.
        pass


def restore(slave, command):
    """Starts the command in a group of its own whose parent is in no session of this terminal."""
    waits, begin = os.pipe()
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
        # But for SIGTTOU, since criu sets the foreground from behind it; and criu ends helpers of its own by SIGTERM.
        for name in ("HUP", "INT", "QUIT", "TERM", "TSTP", "TTIN", "PIPE"):
            signal.signal(getattr(signal, "SIG" + name), signal.SIG_DFL)
        os.read(waits, 1)
        for fd in (0, 1, 2):
            os.dup2(slave, fd)
        close_but()
        os.execvp(command[0], command)
    os.setsid()
    os.close(slave)
    os.write(begin, b"!")
    # What the command has restored is a child of this process too, which ends before that does.
    _, status = os.waitpid(child, 0)
    os._exit(status >> 8 or (1 if status else 0))


class Client:
    """Somebody who looks on and types: a letter and a length, then `d` what is typed, or `s` rows and columns."""

    def __init__(self, connection, shown):
        connection.setblocking(False)
        self.connection = connection
        self.queued, self.said = bytearray(shown), bytearray()

    def turn(self, master, events):
        """Takes and gives what there is; whether it is still there."""
        try:
            if events & select.POLLOUT and self.queued:
                del self.queued[: self.connection.send(self.queued[: 1 << 16])]
            if events & (select.POLLIN | select.POLLHUP | select.POLLERR):
                said = self.connection.recv(1 << 16)
                if not said:
                    return False
                self.said += said
        except BlockingIOError:
            pass
        except OSError:
            return False
        while len(self.said) >= 3:
            kind, length = struct.unpack(">cH", self.said[:3])
            if len(self.said) < 3 + length:
                break
            hear(master, kind, bytes(self.said[3 : 3 + length]))
            del self.said[: 3 + length]
        return len(self.queued) <= MOST_QUEUED


def hear(master, kind, text):
    try:
        if kind == b"d":
            os.write(master, text)
        elif kind == b"s":
            size = struct.unpack(">HH", text)
            if size == size_of(master):
                # A full screen that nobody has seen is drawn again.
                os.killpg(os.tcgetpgrp(master), signal.SIGWINCH)
            else:
                set_size(master, *size)
    except (OSError, struct.error):
        # What nobody reads is not typed.
        pass


def connect(folder):
    """None when the terminal is gone; a holder that has died has a successor in a moment."""
    for _ in range(50):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(os.path.join(folder, "socket"))
            return connection
        except OSError as error:
            connection.close()
            if error.errno in (errno.ENOENT, errno.EACCES):
                return None
            time.sleep(0.1)
    return None


class Looker:
    """Connects the terminal that this program was started in."""

    def __init__(self, folder, may_leave):
        self.folder, self.may_leave = folder, may_leave
        # Ctrl-B has been typed, which d may follow: as in tmux.
        self.prefix = False

    def typed(self, text):
        """What of it is for the process; None to leave."""
        if not self.may_leave:
            return text
        passed = bytearray()
        for byte in text:
            if self.prefix:
                self.prefix = False
                if byte == ord("d"):
                    return None
                if byte != 2:
                    passed.append(2)
                passed.append(byte)
            elif byte == 2:
                self.prefix = True
            else:
                passed.append(byte)
        return bytes(passed)

    def look(self):
        connection = connect(self.folder)
        if connection is None:
            return "there is no such terminal here any more"
        woken, wake = os.pipe()
        for fd in (woken, wake):
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(wake)
        for each in (signal.SIGWINCH, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, lambda *_: None)
        send(connection, b"s", struct.pack(">HH", *size_of(0)))
        while True:
            poll = select.poll()
            for fd in (0, woken, connection.fileno()):
                poll.register(fd, select.POLLIN)
            for fd, _ in poll.poll():
                if fd == woken:
                    if any(each != signal.SIGWINCH for each in os.read(woken, 512)):
                        return "left"
                    send(connection, b"s", struct.pack(">HH", *size_of(0)))
                elif fd == 0:
                    text = os.read(0, 1 << 12)
                    passed = self.typed(text) if text else None
                    if passed is None:
                        return "left: it goes on"
                    send(connection, b"d", passed)
                else:
                    shown = receive(connection)
                    if shown:
                        write_all(1, shown)
                        continue
                    connection.close()
                    connection = connect(self.folder)
                    if connection is None:
                        return "it has ended"
                    send(connection, b"s", struct.pack(">HH", *size_of(0)))
                    break


def send(connection, kind, text):
    try:
        connection.sendall(struct.pack(">cH", kind, len(text)) + text)
    except OSError:
        # The next look at the connection finds that it has ended.
        pass


def receive(connection):
    try:
        return connection.recv(1 << 16)
    except OSError:
        return b""


def write_all(fd, text):
    while text:
        text = text[os.write(fd, text) :]


def look_on(folder, may_leave):
    before = termios.tcgetattr(0)
    raw = termios.tcgetattr(0)
    raw[0] &= ~(termios.IGNBRK | termios.BRKINT | termios.PARMRK | termios.ISTRIP)
    raw[0] &= ~(termios.INLCR | termios.IGNCR | termios.ICRNL | termios.IXON)
    raw[1] &= ~termios.OPOST
    raw[3] &= ~(termios.ECHO | termios.ECHONL | termios.ICANON | termios.ISIG | termios.IEXTEN)
    raw[6][termios.VMIN], raw[6][termios.VTIME] = 1, 0
    termios.tcsetattr(0, termios.TCSADRAIN, raw)
    try:
        said = Looker(folder, may_leave).look()
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)
    if may_leave:
        print("\r\n[%s]" % said)
    return 0


def attach(folder):
    """Through tmux where it can be, since that knows the screen; else directly."""
    terminal = Terminal(folder)
    running = terminal.running()
    if running is None:
        print("there is no such terminal here any more", file=sys.stderr)
        return 1
    uid = running[1]
    session = "=" + terminal.name
    if ended(uid, "has-session", "-t", session) != 0:
        os.waitpid(terminal.view(uid, *size_of(0)), 0)
    # Nobody looks on where the session ends at once.
    if ended(uid, "has-session", "-t", session) == 0 and ended(uid, "attach-session", "-t", session, quiet=False) == 0:
        return 0
    return look_on(folder, True)


def ended(uid, *words, quiet=True):
    """How tmux ended, as the user that the process belongs to."""
    child = os.fork()
    if child == 0:
        try:
            become(uid)
            if quiet:
                to_nothing()
            os.execvp(TMUX[0], TMUX + words)
        finally:
            os._exit(1)
    return os.waitpid(child, 0)[1]


def hold(folder, mark, rows, columns, number, *command):
    """Ends when the terminal is there; who holds it goes on."""
    ready, done = os.pipe()
    if os.fork():
        os.close(done)
        return 0 if os.read(ready, 1) else 1
    to_nothing()
    close_but(done)
    holder = Terminal(folder, mark).begin(int(rows), int(columns), int(number), command)
    os.write(done, b"!")
    os.close(done)
    holder.serve()


def main(what, folder, *rest):
    if what == "hold":
        return hold(folder, *rest)
    return attach(folder) if what == "attach" else look_on(folder, False)


sys.exit(main(*sys.argv[1:]))
