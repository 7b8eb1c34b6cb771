"""A worker's process: what it may use, how it is started, how it is ended."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from course.grading.runtime import Runtime
from course.grading.temporary import remove, temporary_folder

SCRATCH = "/tmp"
DEEP = 2000  # characters of a path in the scratch space; the kernel takes 4096
HIDDEN = ("site-packages", "dist-packages")  # of the standard library's folder
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


def python(
    files: Runtime,
    *folders: Path | str,
    program: str = "from course.grading.worker import main; main()",
) -> list[str]:
    """The command that runs a worker with nothing but these folders beside the standard library.

    Not `-I`, which would ignore PYTHONHASHSEED: the same code gives the same values each time.
    """
    start = (
        f"import sys; sys.dont_write_bytecode = True; sys.path += {[str(f) for f in folders]!r};"
    )
    return [str(files.executable), "-P", "-s", "-S", "-c", f"{start} {program}"]


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
    """Bytes in a folder, while something may be writing there; folders take room as files do."""
    total = 0
    for path, folders, files in os.walk(folder):
        if len(path) > DEEP:
            return 1 << 62  # below it nothing could be counted
        for name in (*folders, *files):
            with contextlib.suppress(OSError):
                total += max(os.lstat(os.path.join(path, name)).st_size, 4096)
    return total


def close(*streams: IO[bytes]) -> None:
    """Close pipes, whatever state they are in."""
    for stream in streams:
        with contextlib.suppress(OSError):
            stream.close()


class Plain(Subprocess):
    """A worker that only the kernel's resource limits hold back."""

    def __init__(self, files: Runtime, limits: ProcessLimits) -> None:
        self.scratch = str(temporary_folder("scratch"))
        environment = ENVIRONMENT | dict.fromkeys(("HOME", "TMPDIR", "MPLCONFIGDIR"), self.scratch)
        if os.name == "nt":
            environment["SYSTEMROOT"] = os.environ.get("SYSTEMROOT", "")
        command = python(files, files.home, files.home / "packages")
        super().__init__(command, environment, cwd=self.scratch)

    def written(self) -> int:
        return size_of(self.scratch)

    def end(self, patience: float = 0.0) -> int:
        code = super().end(patience)
        remove(Path(self.scratch))
        return code
