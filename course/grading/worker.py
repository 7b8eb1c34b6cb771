"""The worker: runs one student's cells, drives the exercises, and writes plain values back.

This is the only part of grading that shares a process with student code.  It is started by
`course.grading.sandbox`, sees only the standard library, NumPy, what the exercise set allows and the
few files of this package that it needs, and knows no answer.  A request comes in on standard input;
messages go out on a private copy of standard output, so that printing cannot disturb them.

Whatever student code does to this process, all it can do is to send other values, and values are
all that counts.
"""

from __future__ import annotations

import os
import sys
import time
from types import ModuleType
from typing import Any

from course.grading import execute, values
from course.grading.confine import confine
from course.grading.exercise import ExerciseSet, module_of

GRACE = 2  # seconds of CPU time between TimeUp and the kernel's own limit


def main(others: int = 0) -> None:
    """Serve one request.

    others : trusted processes that the kernel counts with this one, beside those that always are.
    """
    with open(0, "rb", closefd=False) as stdin:
        data = stdin.read()
    channel = os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    request = values.unpack(data, values.REQUEST)
    limits = dict(request["limits"])
    if others and "NPROC" in limits:
        limits["NPROC"] += others
    limit_process(limits)
    serve(request, channel)
    os._exit(0)  # no exit handlers, threads or finalisers of student code


def serve(request: dict[str, Any], channel: int) -> None:
    """Run the cells, then the exercises; say what is being done and what came of it.

    request : cells [[grade_id or None, source]], skip [numbers of cells to leave out],
        exercises (source of exercises.py), inputs {exercise: [inputs of a case]}, cell_seconds.
    """
    chosen = ExerciseSet.of(module_of(request["exercises"], "exercises.py"))
    student = ModuleType("__main__")
    sys.modules["__main__"] = student
    namespace = vars(student)
    namespace.update(display=nothing, get_ipython=Notebook)

    cells, skip, seconds = request["cells"], set(request["skip"]), request["cell_seconds"]
    running = execute.run_cells(
        [(None if i in skip else g, "" if i in skip else s) for i, (g, s) in enumerate(cells)],
        namespace,
        seconds,
    )
    for number in range(len(cells)):
        send(channel, {"begin": number})
        limit_cpu(seconds)
        failure = next(running)
        if failure is not None:
            send(channel, {"cell": number, "failure": dict(vars(failure))})
    for name, inputs in request["inputs"].items():
        send(channel, {"begin": name})
        limit_cpu(chosen[name].seconds)
        run = execute.drive(chosen[name], namespace, inputs)
        send(channel, {"exercise": name, "run": run.plain()})
    send(channel, {"done": True})


def send(channel: int, message: Any) -> None:
    """Write one message: its length, then its bytes."""
    data = values.pack(message)
    data = len(data).to_bytes(4, "little") + data
    while data:
        data = data[os.write(channel, data) :]


def nothing(*_: Any, **__: Any) -> None:
    """Stands for what only makes sense in a notebook on a screen."""


class Notebook:
    """Stands for IPython's shell: every method exists and does nothing."""

    def __getattr__(self, name: str) -> Any:
        return nothing


def limit_process(limits: dict[str, int]) -> None:
    """Set the kernel's limits on this process and its children, and give up every privilege.

    Neither can be undone.
    """
    try:
        import resource
    except ImportError:  # Windows: only at home, where it is one's own code
        return
    for name, most in limits.items():
        kind = getattr(resource, f"RLIMIT_{name}", None)
        if kind is not None:
            _, hard = resource.getrlimit(kind)
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(kind, (most, most))
    confine()


def limit_cpu(seconds: float) -> None:
    """End this process when it goes on for long after `TimeUp` was raised in it."""
    try:
        import resource
    except ImportError:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = int(time.process_time() + seconds) + GRACE
    resource.setrlimit(
        resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard)
    )
