"""Containers with a zygote: a bubblewrap container started once, in which workers are forked.

A container serves one submission at a time.  It belongs to the process that started it and ends with
it; a process that is forked from that one starts its own.  Where namespaces inside the container
are refused (that is tried, not guessed) each worker gets a fresh bubblewrap instead.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import signal
import socket
import struct
import subprocess
import threading
from pathlib import Path
from typing import IO

from course.grading import zygote
from course.grading.bubblewrap import (
    PATH,
    Bubblewrapped,
    bubblewrap_arguments,
    bubblewrap_command,
)
from course.grading.process import SCRATCH, ProcessLimits, Worker, close, python
from course.grading.runtime import Runtime

START = 60.0  # seconds that a container may take to start, and a worker to be forked
KILL = 20.0  # seconds after which a worker that was killed and is still there costs its container
RENEW = 500  # submissions that a container serves
CREDENTIALS = struct.Struct("3i")  # process, user, group
LOG = logging.getLogger(__name__)


class Refused(OSError):
    """This container forks no worker; the text says why."""


class Container:
    """A container in which a zygote waits for orders."""

    def __init__(self, files: Runtime) -> None:
        self.files = files
        self.owner = os.getpid()
        self.served = 0
        self.grader, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.started = threading.Event()
        self.process: subprocess.Popen[bytes] | None = None
        # bubblewrap dies with the *thread* that starts it, so that one stays as long as it does.
        threading.Thread(target=self._live, args=(theirs,), daemon=True).start()
        self.started.wait()
        self.grader.settimeout(START)
        try:
            said = self.grader.recv(64)
        except OSError as error:
            said = str(error).encode()
        if said != zygote.READY:
            self.close()
            raise Refused(f"the zygote does not start ({said.decode(errors='replace')})")

    def _live(self, theirs: socket.socket) -> None:
        """Start bubblewrap, and stay until it ends."""
        arguments = bubblewrap_arguments(self.files, ProcessLimits())
        for capability in ("CAP_SYS_ADMIN", "CAP_SETPCAP"):  # in its own user namespace only
            arguments += ["--cap-add", capability]
        program = (
            "from course.grading.zygote import main;"
            f" main({theirs.fileno()}, {SCRATCH!r}, {self.files.imports!r})"
        )
        command = bubblewrap_command(arguments, python(self.files, *PATH, program=program), None)
        try:
            with command as (words, descriptors):
                self.process = subprocess.Popen(
                    words,
                    env={},
                    cwd="/",
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                    pass_fds=(*descriptors, theirs.fileno()),
                )
        except OSError:
            return
        finally:
            theirs.close()
            self.started.set()
        self.process.wait()

    def fork(self, limits: ProcessLimits) -> Forked:
        """A new worker; Refused if there is none to be had."""
        report, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        requests, stdin = os.pipe()
        stdout, answers = os.pipe()
        report.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        report.settimeout(START)
        self.served += 1
        try:
            order = str(limits.scratch).encode()
            socket.send_fds(self.grader, [order], [theirs.fileno(), requests, answers])
            theirs.close()
            said, aside, _, _ = report.recvmsg(256, socket.CMSG_SPACE(CREDENTIALS.size))
            if said != zygote.READY:
                raise Refused(said.decode(errors="replace") or "the zygote has ended")
        except OSError as error:
            report.close()
            os.close(stdin)
            os.close(stdout)
            raise error if isinstance(error, Refused) else Refused(str(error)) from None
        finally:
            theirs.close()
            os.close(requests)
            os.close(answers)
        pid = CREDENTIALS.unpack(aside[0][2])[0]  # the watch, by its number out here
        return Forked(self, pid, report, stdin, stdout)

    def close(self) -> None:
        """End the container and all that is in it."""
        self.grader.close()
        if self.process is not None and self.owner == os.getpid():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)


class Forked:
    """A worker that a zygote has forked."""

    def __init__(
        self, container: Container, pid: int, report: socket.socket, stdin: int, stdout: int
    ) -> None:
        self.container = container
        self.pid = pid
        self.report = report
        self.stdin: IO[bytes] = os.fdopen(stdin, "wb", 0)
        self.stdout: IO[bytes] = os.fdopen(stdout, "rb", 0)

    def written(self) -> int:
        """The kernel bounds the scratch space."""
        return 0

    def end(self, patience: float = 0.0) -> int:
        """End the worker and everything it started; return how it ended."""
        code = self.ended(patience)
        if code is None:
            with contextlib.suppress(OSError):
                self.report.shutdown(socket.SHUT_WR)
            code = self.ended(KILL)
        close(self.stdin, self.stdout)
        self.report.close()
        if code is None:
            HERE.discard(self.container)
            return -signal.SIGKILL
        HERE.give_back(self.container)
        return code

    def ended(self, patience: float) -> int | None:
        """How the worker ended, as the watch says; None if it has not within so many seconds."""
        self.report.settimeout(patience)
        try:
            code = int(self.report.recv(64))
        except (OSError, ValueError):  # not yet; or the watch is gone, and with it the worker
            return None
        return 128 - code if code > 128 else code


class Containers:
    """The containers of this process: those that serve nobody now, all, and what cannot be had."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Know of none."""
        self.lock = threading.Lock()
        self.idle: dict[Path, list[Container]] = {}
        self.all: list[Container] = []
        self.refused: dict[Path, str] = {}  # why not, by the home of the runtime

    def new(self, files: Runtime) -> Container:
        """Start one."""
        container = Container(files)
        with self.lock:
            self.all.append(container)
        return container

    def waiting(self, files: Runtime) -> Container | None:
        """One that serves nobody now, if there is one."""
        with self.lock:
            idle = self.idle.get(files.home)
            return idle.pop() if idle else None

    def give_back(self, container: Container) -> None:
        """Keep a container for the next submission, or end it if it has served its time."""
        if container.served >= RENEW or container.owner != os.getpid():
            self.discard(container)
            return
        with self.lock:
            self.idle.setdefault(container.files.home, []).append(container)

    def discard(self, container: Container) -> None:
        """End a container."""
        container.close()
        with self.lock:
            self.all = [other for other in self.all if other is not container]

    def close(self) -> None:
        """End all; a process that was forked from their owner only lets go of them."""
        for container in self.all:
            container.close()
        self.forget()


HERE = Containers()
atexit.register(HERE.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=HERE.close)


def start(files: Runtime, limits: ProcessLimits) -> Worker:
    """A worker forked in a container; under a fresh bubblewrap where that is refused."""
    while container := HERE.waiting(files):
        try:
            return container.fork(limits)
        except Refused:  # it has been killed since it served last
            HERE.discard(container)
    if files.home not in HERE.refused:
        try:
            container = HERE.new(files)
            return container.fork(limits)
        except Refused as error:
            HERE.refused[files.home] = str(error)
            LOG.info("each worker gets a bubblewrap of its own: %s", error)
            if container is not None:
                HERE.discard(container)
    return Bubblewrapped(files, limits)
