"""A course to attack, and a world outside it that tells when something got out.

The exercises are those of `tiny_course` with short limits, and one more, `report`, by which an attack
says what came of each of its steps; nobody can solve that one by accident.
"""

from __future__ import annotations

import contextlib
import glob
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tiny_course
from tiny_course import NAME, code, marks, words

from course.grading.release import release

REPORT = """

@exercise(points=1, draw=lambda rng: {}, cases=1, seconds=1)
def report(student):
    return dict(told=student.report())
"""
SECRET = "do not tell"
HINT = "grows with the number of samples"
SETTINGS = (
    "kernel/core_pattern",
    "kernel/panic",
    "kernel/pid_max",
    "kernel/hostname",
    "vm/swappiness",
)
VICTIM = """
import os, signal, sys, time
def note(number, frame):
    os.write(1, b"signalled")
for number in (signal.SIGURG, signal.SIGTERM, signal.SIGUSR1, signal.SIGIO, signal.SIGCONT):
    signal.signal(number, note)
os.write(1, b"ready")
while True:
    time.sleep(100)
"""


def make(root: Path) -> Path:
    """Write the course and release its assignment."""
    notebook = tiny_course.source_notebook()
    report = "def report():\n    ### BEGIN SOLUTION\n    return {'solution': 'yes'}\n    ### END SOLUTION"
    notebook["cells"][-2:-2] = [
        words("about-report", "## report\nTell."),
        code("s-report", report, marks("report", solution=True)),
        code(
            "c-report", 'check("report")', marks("check-report", grade=True, locked=True, points=1)
        ),
    ]
    folder = root / "solutions" / NAME
    folder.mkdir(parents=True)
    (folder / "tiny.ipynb").write_text(json.dumps(notebook))
    quick = tiny_course.EXERCISES.replace("seconds=2", "seconds=1")
    (folder / "exercises.py").write_text(quick + REPORT)
    (folder / "misconceptions.py").write_text(tiny_course.MISCONCEPTIONS)
    release(root, NAME)
    return root


@dataclass
class Outside:
    """What attacks reach for: a secret, listeners that must hear nothing, a process to harm."""

    folder: Path
    victim: subprocess.Popen[bytes]
    held: list[socket.socket]
    facts: dict[str, Any]
    started: float

    def heard(self) -> list[str]:
        """What the listeners were told, and the victim's signals."""
        told = []
        for each in self.held:
            with contextlib.suppress(BlockingIOError):
                if each.type == socket.SOCK_DGRAM:
                    told.append(f"{each.getsockname()!r}: {each.recv(100)!r}")
                else:
                    each.accept()[0].close()
                    told.append(f"{each.getsockname()!r}: a connection")
        assert self.victim.stdout is not None
        with contextlib.suppress(BlockingIOError):
            told += [repr(text) for text in [os.read(self.victim.stdout.fileno(), 100)]]
        return told

    def state(self) -> dict[str, Any]:
        """Everything that must be after an attack what it was before."""
        secret = self.folder / "secret"
        found = secret.lstat()
        pid = self.victim.pid
        return {
            "folder": sorted(os.listdir(self.folder)),
            "secret": (secret.read_text(), found.st_mode, found.st_uid, found.st_gid, found.st_nlink),
            "times": (found.st_mtime_ns, found.st_ctime_ns),  # ctime tells of marks and flags too
            "victim": (self.victim.poll(), os.getpriority(os.PRIO_PROCESS, pid), os.sched_getscheduler(pid)),
            "tied": os.sched_getaffinity(pid),
            "limits": Path(f"/proc/{pid}/limits").read_text(),
            "short of memory": Path(f"/proc/{pid}/oom_score_adj").read_text(),
            "settings": [Path("/proc/sys", name).read_text() for name in SETTINGS],
            "left": [
                path
                for place in ("/tmp", "/var/tmp", "/dev/shm", "/dev", "/dev/mqueue", "/run", "/run/lock", "/etc/cron.d", "/")
                for path in glob.glob(place + "/hostile*")
            ],
            "objects": [
                line
                for kind in ("shm", "msg", "sem")
                for line in Path("/proc/sysvipc", kind).read_text().splitlines()
                if str(0x5EC2E7) in line
            ],
            "processes": [pid for pid in running() if name_of(pid) == "hostile-child"],
        }  # fmt: skip

    def clock_is_right(self) -> bool:
        """Whether nobody has set the clock."""
        return abs(time.time() - time.monotonic() - self.started) < 5


def running() -> list[str]:
    return [entry for entry in os.listdir("/proc") if entry.isdigit()]


def name_of(pid: str) -> str:
    with contextlib.suppress(OSError):
        return Path("/proc", pid, "comm").read_text().strip()
    return ""


@contextlib.contextmanager
def outside(folder: Path) -> Iterator[Outside]:
    """Set up the world outside; `folder` is made, and must have a short path."""
    folder.mkdir(parents=True)
    secret = folder / "secret"
    secret.write_text(SECRET)
    with contextlib.suppress(OSError):
        os.setxattr(secret, "user.note", b"its mark")
    held: list[socket.socket] = []
    name = f"\0attacked-{os.getpid()}-{folder.parent.name}"
    ports = {}
    listeners = [("tcp", socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
                 ("tcp6", socket.AF_INET6, socket.SOCK_STREAM, ("::1", 0)),
                 ("udp", socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
                 ("stream", socket.AF_UNIX, socket.SOCK_STREAM, str(folder / "stream")),
                 ("datagram", socket.AF_UNIX, socket.SOCK_DGRAM, str(folder / "datagram")),
                 ("abstract", socket.AF_UNIX, socket.SOCK_STREAM, name + "1"),
                 ("abstract2", socket.AF_UNIX, socket.SOCK_DGRAM, name + "2")]  # fmt: skip
    with contextlib.ExitStack() as stack:
        for what, family, kind, address in listeners:
            one = stack.enter_context(socket.socket(family, kind))
            one.bind(address)
            if kind == socket.SOCK_STREAM:
                one.listen()
            one.setblocking(False)
            held.append(one)
            if family != socket.AF_UNIX:
                ports[what] = one.getsockname()[1]
        open_secret = stack.enter_context(secret.open())
        os.set_inheritable(open_secret.fileno(), True)
        open_folder = os.open(folder, os.O_RDONLY)
        os.set_inheritable(open_folder, True)
        stack.callback(os.close, open_folder)
        victim = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", VICTIM], stdout=subprocess.PIPE, cwd=folder
        )
        try:
            assert victim.stdout is not None
            assert os.read(victim.stdout.fileno(), 5) == b"ready"
            os.set_blocking(victim.stdout.fileno(), False)
            facts = {"secret": str(secret), "stream": str(folder / "stream"),
                     "datagram": str(folder / "datagram"), "abstract": name, "victim": victim.pid,
                     "grader": os.getpid(), "stdlib": os.path.dirname(os.__file__), **ports}  # fmt: skip
            yield Outside(folder, victim, held, facts, time.time() - time.monotonic())
        finally:
            victim.send_signal(signal.SIGKILL)
            victim.wait()
