"""Attacks by two: what one submission leaves, a later one looks for.

Each program looks first and then leaves something.  The test hands it in twice; the second must find
nothing.  Where a worker is forked from a warmed template, this is what keeps students apart.
"""

from __future__ import annotations

from course.grading.hostile.attack import KERNEL, Hostile

FILES = """
import glob, os, tempfile
places = {os.getcwd(), tempfile.gettempdir(), os.environ.get("HOME", "."), "/tmp", "/var/tmp", "/dev/shm",
          "/run/lock", "/dev/mqueue"}
attempt("find a file", lambda: open(next(iter(p for d in places for p in glob.glob(d + "/hostile-note*")),
                                         "/nonexistent")).read())
def leave():
    for place in places:
        try:
            open(place + "/hostile-note", "w").write("from " + OUTSIDE["student"])
        except OSError:
            pass
note("leave a file", leave)
"""

SEGMENTS = (
    KERNEL
    + """
key = 0x5EC2E7
attempt("find a segment", lambda: call("shmget", key, 64, 0))
attempt("find a queue", lambda: call("msgget", key, 0))
attempt("find a semaphore", lambda: call("semget", key, 1, 0))
attempt("find a named queue", lambda: call("mq_open", b"hostile-note", 0, 0, None))
attempt("find a key", lambda: call("keyctl", 10, -4, b"user", b"hostile-note", 0))
note("leave a segment", lambda: call("shmget", key, 64, 0o1666))
note("leave a queue", lambda: call("msgget", key, 0o1666))
note("leave a semaphore", lambda: call("semget", key, 1, 0o1666))
note("leave a named queue", lambda: call("mq_open", b"hostile-note", 0o102, 0o666, None))
note("leave a key", lambda: call("add_key", b"user", b"hostile-note", b"x", 1, -4))
"""
)

INTERPRETER = """
import builtins, gc, sys
import numpy as np
def find(names):
    if "hostile_note" in names:
        return names["hostile_note"]
    raise LookupError("nothing")
attempt("find a name", lambda: find(vars(builtins)))
attempt("find a module", lambda: find(sys.modules))
attempt("find it in NumPy", lambda: find(vars(np)))
def objects():
    return next(o for o in gc.get_objects() if type(o) is dict and o.get("kept for the next one"))
attempt("find it among all objects", objects)
builtins.hostile_note = np.hostile_note = sys.hostile = {"kept for the next one": OUTSIDE["student"]}
note("leave it", lambda: sys.modules.setdefault("hostile_note", sys))
"""
INTERPRETER = INTERPRETER.replace(
    'o.get("kept for the next one")', 'o.get("kept for " + "the next one")'
)

# Who started this worker may start the next: it is asked to stop, to change, to say something.
TEMPLATE = """
import os, signal, socket
parent = os.getppid()
note("signal my parent", lambda: [os.kill(parent, s) for s in (signal.SIGURG, signal.SIGSTOP, signal.SIGTERM)])
attempt("write my parent's memory", lambda: open(f"/proc/{parent}/mem", "r+b").write(b"x"))
def speak():
    for number in range(64):
        try:
            with socket.socket(fileno=os.dup(number)) as channel:
                return channel.send(b"67108864")
        except OSError:
            pass
    raise OSError("no socket")
attempt("order another worker", speak)
note("take its children", lambda: os.setpgid(0, parent) if False else os.getpgid(parent))
attempt("wait in its place", lambda: os.waitpid(-1, os.WNOHANG))
"""

SOCKETS = """
import socket
def find(kind):
    with socket.socket(socket.AF_UNIX, kind) as out:
        out.connect("\\0hostile-note"); return out.recv(10)
attempt("find a socket without a folder", lambda: find(socket.SOCK_STREAM))
attempt("find one for datagrams", lambda: find(socket.SOCK_DGRAM))
kept = [socket.socket(socket.AF_UNIX, kind) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)]
for one in kept:
    note("leave a socket", lambda: one.bind("\\0hostile-note"))
"""

ATTACKS = (
    Hostile("leaves-files", "leaves a file for a friend", FILES, twice=True,
            source="INGInious and others: a work folder that is used again"),
    Hostile("leaves-segments", "leaves memory, queues and keys for a friend", SEGMENTS, twice=True),
    Hostile("leaves-objects", "leaves something in the interpreter for a friend", INTERPRETER, twice=True),
    Hostile("leaves-sockets", "leaves a socket for a friend", SOCKETS, twice=True),
    Hostile("reaches-template", "reaches for the process that starts the next worker", TEMPLATE, twice=True),
)  # fmt: skip
