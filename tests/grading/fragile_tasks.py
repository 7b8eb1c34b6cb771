"""Tasks that die, fail or refuse, for processes that import little else."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from course.grading.results import GradingRefused

# A course whose graders are killed, in whatever process but the first, by the submission of eve.
DEADLY = """
import multiprocessing, os, signal

from course.grading.autograde import configure

c = get_config()
configure(c)


def hook(assignment, student, notebooks):
    if student == "eve" and multiprocessing.parent_process() is not None:
        os.kill(os.getpid(), signal.SIGKILL)


c.SandboxedAutograde.pre_convert_hook = hook
"""


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def work(folder: Path, item: str, *, killers: str = "", once: bool = False) -> str:
    """Note that it ran; die where the item is one of the killers."""
    with (folder / item).open("a") as ran:
        ran.write("x")
    if item in killers and not (once and (folder / item).stat().st_size > 1):
        time.sleep(0.05)  # so that its neighbour is under way
        die()
    return item.upper()


def failing(item: str) -> str:
    if item == "c":
        raise ZeroDivisionError("one of\n two")
    return item


def refusing(item: str) -> str:
    if item == "b":
        raise GradingRefused("The disk is full.")
    return item


class Unloadable:
    """A task that kills whatever process it is sent to, before any item is looked at."""

    def __call__(self, item: str) -> str:
        return item

    def __setstate__(self, state: Any) -> None:
        die()

    def __getstate__(self) -> dict[str, int]:
        return {"any": 1}


def resting(item: str) -> str:
    """Print which process it is in, and stay."""
    os.write(1, f"{os.getpid()}\n".encode())  # whole, beside its neighbour's
    time.sleep(60)
    return item
