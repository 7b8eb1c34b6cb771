"""Sandboxes: how a worker is started so that student code can touch nothing but itself.

bubblewrap (Linux namespaces) where it works, else sandlock (Landlock and seccomp, Linux 6.7 or
later), else `SandboxUnavailable`.  `Unsandboxed` is a plain subprocess with the kernel's resource
limits; it is for one's own code and never chosen unless it is asked for.
"""

from __future__ import annotations

import functools
import select
import shutil
from collections.abc import Callable
from dataclasses import dataclass

from course.grading import container, values
from course.grading.landlock import Sandlocked
from course.grading.process import Plain, ProcessLimits, Worker
from course.grading.runtime import Runtime, runtime

INSTALL = (
    "Install bubblewrap (Debian, Ubuntu: apt install bubblewrap; Fedora: dnf install bubblewrap)"
    " or sandlock (pip install 'course[grade]', Linux 6.7 or later), or pass --unsandboxed if you"
    " trust every submission."
)


class SandboxUnavailable(RuntimeError):
    """There is no sandbox here; the message says how to get one."""


@dataclass(frozen=True)
class Sandbox:
    """A way to start workers."""

    name: str
    start: Callable[[Runtime, ProcessLimits], Worker]
    isolates: bool = True


SANDBOXES = {
    "bubblewrap": Sandbox("bubblewrap", container.start),
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
