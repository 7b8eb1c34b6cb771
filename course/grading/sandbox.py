"""Sandboxes: how a worker is started so that student code can touch nothing but itself.

bubblewrap (Linux namespaces) where it works, else sandlock (Landlock and seccomp, Linux 6.7 or
later), else `SandboxUnavailable`.  `Unsandboxed` is a plain subprocess with the kernel's resource
limits; it is for one's own code and never chosen unless it is asked for.
"""

from __future__ import annotations

import contextlib
import functools
import os
import select
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from course.grading import values
from course.grading.runtime import Runtime, runtime
from course.grading.seccomp import worker_filter

INSTALL = (
    "Install bubblewrap (Debian, Ubuntu: apt install bubblewrap; Fedora: dnf install bubblewrap)"
    " or sandlock (pip install 'course[grade]', Linux 6.7 or later), or pass --unsandboxed if you"
    " trust every submission."
)
SCRATCH = "/tmp"
ENVIRONMENT = {
    "HOME": SCRATCH,
    "TMPDIR": SCRATCH,
    "LANG": "C.UTF-8",
    "MPLBACKEND": "Agg",
    "MPLCONFIGDIR": SCRATCH,
    "PATH": "/nonexistent",
    "PYTHONHASHSEED": "0",
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
}


class SandboxUnavailable(RuntimeError):
    """There is no sandbox here; the message says how to get one."""


@dataclass(frozen=True)
class ProcessLimits:
    """What a worker may use; sizes in bytes."""

    memory: int = 1 << 30
    scratch: int = 64 << 20
    file_size: int = 16 << 20
    open_files: int = 64
    processes: int = 8
    cpu: int = 600  # seconds in all: a backstop behind the limits of each cell and exercise
    cell_seconds: float = 5.0  # CPU time for one cell

    def kernel(self) -> dict[str, int]:
        """By the names of the kernel's resource limits."""
        return {
            "AS": self.memory,
            "FSIZE": self.file_size,
            "NOFILE": self.open_files,
            "NPROC": self.processes,
            "CPU": self.cpu,
            "CORE": 0,
        }


class Worker(Protocol):
    """A started worker process: unbuffered pipes, and an end."""

    pid: int
    stdin: IO[bytes]
    stdout: IO[bytes]

    def written(self) -> int:
        """Bytes in a scratch folder that nothing else limits."""
        ...

    def end(self, patience: float = 0.0) -> int:
        """End the worker and everything it started; return how it ended.

        patience : seconds it has to end by itself.
        Returns an exit code, or minus the number of a signal.
        """
        ...


@dataclass(frozen=True)
class Sandbox:
    """A way to start workers."""

    name: str
    start: Callable[[Runtime, ProcessLimits], Worker]
    isolates: bool = True


def python(executable: Path, *folders: Path | str) -> list[str]:
    """The command that runs the worker with nothing but these folders beside the standard library."""
    program = (
        f"import sys; sys.dont_write_bytecode = True; sys.path += {[str(f) for f in folders]!r};"
        " from course.grading.worker import main; main()"
    )
    return [str(executable), "-I", "-S", "-c", program]


class Subprocess:
    """A worker that is a child of this process, in a session of its own."""

    def __init__(
        self,
        command: list[str],
        environment: dict[str, str],
        cwd: str = "/",
        pass_fds: tuple[int, ...] = (),
    ) -> None:
        self.process = subprocess.Popen(
            command,
            env=environment,
            cwd=cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,
            pass_fds=pass_fds,
        )
        self.pid = self.process.pid
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.stdin: IO[bytes] = self.process.stdin
        self.stdout: IO[bytes] = self.process.stdout

    def written(self) -> int:
        return 0

    def end(self, patience: float = 0.0) -> int:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(patience)
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
        else:
            self.process.kill()
        code = self.process.wait()
        close(self.stdin, self.stdout)
        return code


def size_of(folder: str) -> int:
    """Bytes in a folder, while something may be writing there."""
    total = 0
    for path, _, files in os.walk(folder):
        for name in files:
            with contextlib.suppress(OSError):
                total += max(os.lstat(os.path.join(path, name)).st_size, 512)
    return total


def close(*streams: IO[bytes]) -> None:
    """Close pipes, whatever state they are in."""
    for stream in streams:
        with contextlib.suppress(OSError):
            stream.close()


class Bubblewrapped(Subprocess):
    """A worker under bubblewrap: new namespaces, nothing mounted but the runtime."""

    def __init__(self, files: Runtime, limits: ProcessLimits) -> None:
        bwrap = shutil.which("bwrap")
        assert bwrap is not None
        arguments = "\0".join(bubblewrap_arguments(files, limits)).encode()
        with contextlib.ExitStack() as stack:
            options = ["--args", str(stack.enter_context(in_memory(arguments)))]
            rules = worker_filter()
            if rules is not None:
                options += ["--seccomp", str(stack.enter_context(in_memory(rules)))]
            descriptors = tuple(int(number) for number in options[1::2])
            command = [bwrap, *options, *python(files.executable, *BWRAP_PATH)]
            super().__init__(command, {}, pass_fds=descriptors)

    def end(self, patience: float = 0.0) -> int:
        code = super().end(patience)
        return 128 - code if code > 128 else code  # bubblewrap reports a signal as 128 + number


@contextlib.contextmanager
def in_memory(content: bytes) -> Iterator[int]:
    """A file descriptor to read this from; not the command line, which a worker could read."""
    descriptor = os.memfd_create("options")
    try:
        os.write(descriptor, content)
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        os.close(descriptor)


HIDDEN = ("site-packages", "dist-packages")  # of the standard library's folder
BWRAP_PATH = ("/course", "/packages")


@functools.cache
def bubblewrap_help() -> str:
    """What this version of bubblewrap says that it can do."""
    return subprocess.run(["bwrap", "--help"], capture_output=True, text=True).stdout


def bubblewrap_arguments(files: Runtime, limits: ProcessLimits) -> list[str]:
    """The namespaces and mounts of a worker."""
    options = ["--unshare-all", "--die-with-parent", "--new-session", "--clearenv"]
    if "--disable-userns" in bubblewrap_help():
        options += ["--unshare-user", "--disable-userns"]
    options += ["--cap-drop", "ALL", "--hostname", "worker", "--uid", "65534", "--gid", "65534"]
    for name, value in ENVIRONMENT.items():
        options += ["--setenv", name, value]
    for link in ("/lib", "/lib64"):
        if os.path.islink(link):
            options += ["--symlink", os.readlink(link), link]
    options += ["--ro-bind", str(files.stdlib), str(files.stdlib)]
    for name in HIDDEN:
        if (files.stdlib / name).is_dir():
            options += ["--tmpfs", str(files.stdlib / name)]
    options += ["--ro-bind", str(files.executable), str(files.executable)]
    for path, real in files.libraries.items():
        options += ["--ro-bind", str(real), path]
    for name, real in files.packages.items():
        options += ["--ro-bind", str(real), f"/packages/{name}"]
    options += ["--ro-bind", str(files.home / "course"), "/course/course"]
    options += ["--proc", "/proc", "--dev", "/dev"]
    options += ["--size", str(limits.scratch), "--tmpfs", SCRATCH, "--remount-ro", "/"]
    return [*options, "--chdir", SCRATCH]


# What Landlock does not look at, but which changes files outside the scratch space all the same.
NOT_LANDLOCKED = [
    *("chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "lchown", "fchown", "fchownat"),
    *("utime", "utimes", "utimensat", "futimesat", "setxattr", "lsetxattr", "fsetxattr"),
    *("setxattrat", "removexattr", "lremovexattr", "fremovexattr", "flock", "chroot", "mknod"),
    *("mknodat", "ptrace", "io_uring_setup"),
]


class Sandlocked:
    """A worker under sandlock: Landlock rules, a seccomp filter, a supervisor in this process."""

    def __init__(self, files: Runtime, limits: ProcessLimits) -> None:
        from sandlock import Sandbox as Sandlock
        from sandlock.sandbox import StdioMode

        self.scratch = tempfile.mkdtemp(prefix="course-scratch-")
        readable = [
            str(files.home),
            str(files.executable),
            str(files.stdlib),
            *(str(p) for p in set(files.libraries.values())),
            *(str(p) for p in files.packages.values()),
            *(p for p in ("/etc/ld.so.cache", "/dev/urandom") if os.path.exists(p)),
        ]
        environment = ENVIRONMENT | dict.fromkeys(("HOME", "TMPDIR", "MPLCONFIGDIR"), self.scratch)
        self.sandbox = Sandlock(
            fs_readable=readable,
            fs_writable=[self.scratch, "/dev/null"],
            fs_denied=[str(files.stdlib / name) for name in HIDDEN],
            clean_env=True,
            env=environment,
            cwd=self.scratch,
            max_processes=1,  # none but itself: sandlock ends a process group, not a tree
            max_open_files=limits.open_files,
            extra_deny_syscalls=NOT_LANDLOCKED,
            net_allow=[],
            no_coredump=True,
        )
        command = python(files.executable, files.home, files.home / "packages")
        self.process = self.sandbox.popen(
            command, stdin=StdioMode.PIPED, stdout=StdioMode.PIPED, stderr=StdioMode.NULL
        )
        self.pid = self.process.pid or 0
        self.stdin: IO[bytes] = self.process.stdin
        self.stdout: IO[bytes] = self.process.stdout

    def written(self) -> int:
        return size_of(self.scratch)

    def end(self, patience: float = 0.0) -> int:
        result = self.process.wait(timeout=max(patience, 0.001))  # kills it then
        close(self.stdin, self.stdout)
        shutil.rmtree(self.scratch, ignore_errors=True)
        if result.signal and result.signal > 0:
            return -result.signal
        return -signal.SIGKILL if result.exit_code < 0 else result.exit_code


class Plain(Subprocess):
    """A worker that only the kernel's resource limits hold back."""

    def __init__(self, files: Runtime, limits: ProcessLimits) -> None:
        self.scratch = tempfile.mkdtemp(prefix="course-scratch-")
        environment = ENVIRONMENT | dict.fromkeys(("HOME", "TMPDIR", "MPLCONFIGDIR"), self.scratch)
        if os.name == "nt":
            environment["SYSTEMROOT"] = os.environ.get("SYSTEMROOT", "")
        command = python(files.executable, files.home, files.home / "packages")
        super().__init__(command, environment, cwd=self.scratch)

    def written(self) -> int:
        return size_of(self.scratch)

    def end(self, patience: float = 0.0) -> int:
        code = super().end(patience)
        shutil.rmtree(self.scratch, ignore_errors=True)
        return code


SANDBOXES = {
    "bubblewrap": Sandbox("bubblewrap", Bubblewrapped),
    "sandlock": Sandbox("sandlock", Sandlocked),
    "none": Sandbox("none", Plain, isolates=False),
}


def find(name: str = "auto") -> Sandbox:
    """The sandbox of this name, or for 'auto' the first that works here.

    Raises SandboxUnavailable, ValueError for a name that is none.
    """
    if name == "none":
        return SANDBOXES["none"]
    candidates = ["bubblewrap", "sandlock"] if name == "auto" else [name]
    if not set(candidates) <= set(SANDBOXES):
        raise ValueError(f"no sandbox is called {name!r}; there are auto, {', '.join(SANDBOXES)}")
    reasons = []
    for candidate in candidates:
        reason = why_not(candidate)
        if reason is None:
            return SANDBOXES[candidate]
        reasons.append(f"{candidate}: {reason}")
    raise SandboxUnavailable(f"No sandbox for student code ({'; '.join(reasons)}). {INSTALL}")


@functools.cache
def why_not(name: str) -> str | None:
    """Why a sandbox cannot be used here; None if it can.  It is tried, not guessed."""
    if name == "bubblewrap" and shutil.which("bwrap") is None:
        return "not installed"
    try:
        worker = SANDBOXES[name].start(runtime(), ProcessLimits())
    except ImportError:
        return "not installed"
    except Exception as error:
        return f"does not start ({' '.join(str(error).split()) or type(error).__name__})"
    try:
        return None if answers(worker) else "does not start here (are user namespaces allowed?)"
    finally:
        worker.end()


def answers(worker: Worker) -> bool:
    """Whether a worker that is asked to do nothing says that it is done."""
    request = {
        "cells": [],
        "skip": [],
        "exercises": "",
        "inputs": {},
        "limits": {},
        "cell_seconds": 1.0,
    }
    try:
        worker.stdin.write(values.pack(request))
        worker.stdin.close()
    except OSError:
        return False
    ready, _, _ = select.select([worker.stdout], [], [], 30)
    return bool(ready) and worker.stdout.read(4096)[4:] == values.pack({"done": True})
