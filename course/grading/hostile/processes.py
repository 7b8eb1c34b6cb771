"""Attacks by processes: start some, leave some behind, reach others, or do not end."""

from __future__ import annotations

from course.grading.hostile.attack import FAKE, KERNEL, Hostile

DMOJ = "DMOJ judge-server #318: what a submission started ran on after the verdict"

DETACHED = """
import ctypes, os, time
def leave():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            ctypes.CDLL(None).prctl(15, b"hostile-child", 0, 0, 0)
            for _ in range(50):
                time.sleep(0.1)
                try:
                    open(os.path.join(ROOT, "feedback", "planted.txt"), "w").write("still here")
                except OSError:
                    pass
        os._exit(0)
attempt("leave a process behind", leave)
"""

FORKS = """
import os, time
def bomb():
    for _ in range(64):
        os.fork() or time.sleep(3)
attempt("fork without end", bomb)
"""

SPAWNS = (
    KERNEL
    + """
import multiprocessing, subprocess, sys
program = sys.executable or "/bin/true"
def shell():
    if os.system("echo hello"):
        raise OSError("no shell")
def clone3():
    if (child := call("clone3", bytes([0] * 32 + [17] + [0] * 55), 88)) == 0:
        os._exit(0)
    return child
attempt("ask the shell", shell)
attempt("start a program", lambda: subprocess.run(["/bin/sh", "-c", "id"], check=True))
attempt("start Python again", lambda: subprocess.run([program, "-c", ""], check=True))
attempt("spawn", lambda: os.posix_spawn(program, [program, "-c", ""], {}))
attempt("start a process by the newest call", clone3)
attempt("start a worker of my own", lambda: multiprocessing.get_context("fork").Process(target=print).start())
"""
)

ANOTHER_PROGRAM = """
import os, sys
from course.grading import values
def frame(message):
    data = values.pack(message)
    return len(data).to_bytes(4, "little") + data
told = {"become another program": "did"}
case = {"values": {"y": 0.0, "m": 0.0, "n": 0.0, "told": told}, "changed": {}}
frames = [frame({"exercise": n, "run": {"cases": [case] * 3, "failure": None}}) for n in NAMES]
program = f'''
import os
for number in range(1, 64):
    try:
        os.write(number, {b"".join(frames) + frame({"done": True})!r})
    except OSError: pass
'''
for number in range(3, 64):
    try:
        os.set_inheritable(number, True)
    except OSError:
        pass
files = [os.path.realpath("/proc/self/exe"), sys.executable, sys._base_executable, "/usr/bin/python3"]
for file in filter(None, files):
    try:
        os.execve(file, ["python", "-I", "-S", "-c", program], {})
    except OSError:
        pass
note("become another program", lambda: 1 / 0)
"""

KILLS_PARENT = """
import os, signal
note("kill whoever started me", lambda: os.kill(os.getppid(), signal.SIGKILL))
note("kill the first process", lambda: os.kill(1, signal.SIGKILL))
note("kill my group", lambda: os.getpgrp() != 0 and os.killpg(0, signal.SIGKILL))
"""

# SIGURG is ignored by whoever does not ask for it: should one get out, it costs nobody anything.
SIGNALS = (
    KERNEL
    + """
import fcntl, signal, socket
victim, grader = OUTSIDE["victim"], OUTSIDE["grader"]
for pid in (victim, grader):
    attempt("signal a process", lambda: os.kill(pid, signal.SIGURG))
    attempt("signal its group", lambda: os.killpg(os.getpgid(pid), signal.SIGURG))
    attempt("signal one of its threads", lambda: call("tgkill", pid, pid, signal.SIGURG))
    attempt("queue a signal", lambda: call("sigqueue", pid, signal.SIGURG, bytes(128)))
    attempt("signal by a descriptor", lambda: call("pidfd_send_signal", call("pidfd_open", pid, 0),
            signal.SIGURG, None, 0))
    pair = socket.socketpair()
    attempt("have the kernel signal it", lambda: fcntl.fcntl(pair[0], fcntl.F_SETOWN, pid))
    fcntl.fcntl(pair[0], fcntl.F_SETFL, os.O_ASYNC); pair[1].send(b"now")
note("signal everybody", lambda: os.kill(-1, signal.SIGURG))
"""
)

MEMORY_OF_OTHERS = (
    KERNEL
    + """
victim, grader = OUTSIDE["victim"], OUTSIDE["grader"]
space = (ctypes.c_size_t * 2)(ctypes.addressof(room), 8)
there = (ctypes.c_size_t * 2)(0x400000, 8)
for pid in (victim, grader):
    attempt("trace a process", lambda: call("ptrace", 16, pid, 0, 0))
    attempt("read its memory", lambda: call("process_vm_readv", pid, space, 1, there, 1, 0))
    attempt("write its memory", lambda: call("process_vm_writev", pid, space, 1, there, 1, 0))
    attempt("open its memory", lambda: open(f"/proc/{pid}/mem", "r+b"))
    attempt("take one of its descriptors", lambda: call("pidfd_getfd", call("pidfd_open", pid, 0), 0, 0))
    attempt("compare its files with mine", lambda: call("kcmp", pid, os.getpid(), 0, 0, 0))
    attempt("move its memory", lambda: call("migrate_pages", pid, 1, b"\\1" + bytes(7), b"\\1" + bytes(7)))
"""
)

LIMITS_OF_OTHERS = (
    KERNEL
    + """
import resource
victim = OUTSIDE["victim"]
attempt("read its limits", lambda: resource.prlimit(victim, resource.RLIMIT_NOFILE))
attempt("lower its limits", lambda: resource.prlimit(victim, resource.RLIMIT_NOFILE, (99, 99)))
attempt("lower its priority", lambda: os.setpriority(os.PRIO_PROCESS, victim, 5))
attempt("tie it to a processor", lambda: os.sched_setaffinity(victim, {0}))
attempt("make it wait for all others", lambda: os.sched_setscheduler(victim, os.SCHED_IDLE, os.sched_param(0)))
attempt("make its files wait", lambda: call("ioprio_set", 1, victim, 3 << 13))
for pid in ("self", victim):
    attempt("have it ended when memory is short", lambda: open(f"/proc/{pid}/oom_score_adj", "w").write("1000"))
"""
)

OWN_LIMITS = """
import os, resource
for name in ("AS", "CPU", "FSIZE", "NOFILE", "NPROC", "CORE"):
    kind = getattr(resource, "RLIMIT_" + name)
    attempt("raise a limit", lambda: resource.setrlimit(kind, (resource.RLIM_INFINITY,) * 2))
    attempt("raise a limit a little", lambda: resource.prlimit(0, kind, (resource.getrlimit(kind)[1] + 1,) * 2))
attempt("come first always", lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)))
attempt("come first", lambda: os.setpriority(os.PRIO_PROCESS, 0, -20))
"""

IGNORES_SIGNALS = """
import ctypes, signal, time
def forever(*args, **kwargs):
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    signal.setitimer(signal.ITIMER_PROF, 0)
    ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)  # do not die with the parent
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass
for name in NAMES:
    globals()[name] = lambda *args: 0.0
globals()[NAMES[0]] = forever
"""

STOPS_ITSELF = """
import os, signal
def forever(*args):
    os.kill(os.getpid(), signal.SIGSTOP)
    while True:
        signal.pause()
for name in NAMES:
    globals()[name] = lambda *args: 0.0
globals()[NAMES[0]] = forever
"""

THREADS = """
import threading, time
def endless():
    while True:
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
attempt("start threads without end", endless)
"""

BUSY_THREADS = """
import threading, time
def burn():
    while True:
        pass
def forever(*args):
    for _ in range(4):
        threading.Thread(target=burn, daemon=True).start()
    time.sleep(1000)
for name in NAMES:
    globals()[name] = lambda *args: 0.0
globals()[NAMES[0]] = forever
"""

EXITS = FAKE + "\nimport os\nprint('passed: all')\nos._exit(0)\n"
SYSTEM_EXIT = FAKE + "\nraise SystemExit(0)\n"

ATTACKS = (
    Hostile("detached", "leaves a process behind that goes on", DETACHED, works=("leave a process behind",),
            source=DMOJ),
    Hostile("forks", "starts processes that start processes", FORKS),
    Hostile("spawns", "starts a program in every way there is", SPAWNS,
            works=("ask the shell", "start Python again", "spawn"), source="csivitu/code-executor #15"),
    Hostile("another-program", "replaces the worker by a program that speaks for it", ANOTHER_PROGRAM, ""),
    Hostile("kills-parent", "kills whoever started it, and itself", KILLS_PARENT, ends="ended|memory"),
    Hostile("signals", "signals the grader and everybody, in every way there is", SIGNALS),
    Hostile("memory-of-others", "reads and writes the memory of other processes", MEMORY_OF_OTHERS),
    Hostile("limits-of-others", "takes other processes' limits and priority away", LIMITS_OF_OTHERS,
            works=("have it ended when memory is short",),
            source="found here: sandlock lets prlimit, setpriority and sched_setaffinity through"),
    Hostile("own-limits", "raises its own limits", OWN_LIMITS),
    Hostile("ignores-signals", "ignores whatever tells it that its time is up", IGNORES_SIGNALS, "",
            ends="CPU time|clock"),
    Hostile("stops-itself", "stands still and never says so", STOPS_ITSELF, "", ends="waiting"),
    Hostile("threads", "starts threads without end", THREADS),
    Hostile("busy-threads", "waits while its threads burn time", BUSY_THREADS, "", ends="CPU time|waiting"),
    Hostile("exits", "ends the process with success", EXITS, "", ends="ended the Python process",
            source="gradema: early exit attacks"),
    Hostile("system-exit", "leaves by SystemExit", SYSTEM_EXIT, "", ends="SystemExit"),
)  # fmt: skip
