"""Grades do not depend on what else the machine has to do."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tiny_course import NAME, SOLUTIONS

from course.grading.grader import Grader
from course.grading.process import ProcessLimits
from course.grading.results import Cell, Result

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]

FOLD = 8
WORK = "    until = time.process_time() + {}\n    while time.process_time() < until: pass\n"
RIGHT = "    return 2 * x"

# What `double` is, for each student; 2 s of CPU time are allowed for its three cases together.
DOUBLES = {
    "right": f"def double(x):\n{RIGHT}",
    "right, near the limit": f"def double(x):\n{WORK.format(0.5)}{RIGHT}",
    "right, after a cell near its limit": f"if True:\n{WORK.format(1.0)}def double(x):\n{RIGHT}",
    "right, waits now and then": f"def double(x):\n    time.sleep(0.6)\n{RIGHT}",
    "right, in threads": (
        "def double(x):\n    found = []\n    def work():\n    "
        + WORK.format(0.2).replace("\n    ", "\n        ").rstrip()
        + "\n        found.append(2 * x)\n"
        "    threads = [threading.Thread(target=work) for _ in range(2)]\n"
        "    for thread in threads: thread.start()\n"
        "    for thread in threads: thread.join()\n"
        "    return found[0]"
    ),
    "wrong": "def double(x):\n    return x * x",
    "too slow": f"def double(x):\n{WORK.format(1.5)}{RIGHT}",
    "endless": "def double(x):\n    while True: pass",
    "asleep": "def double(x):\n    time.sleep(1000)",
    "too large": "def double(x):\n    return np.ones(1 << 40)",
    "gone": "import os\ndef double(x):\n    os._exit(0)",
}
# Under sandlock each worker starts Python anew, which takes most of a loaded machine's time.
STUDENTS = {
    "bubblewrap": list(DOUBLES),
    "sandlock": ["right, near the limit", "endless", "asleep"],
}
FULL = {name for name in DOUBLES if name.startswith("right")}


@contextlib.contextmanager
def busy(processes: int) -> Iterator[None]:
    """So many other processes that never rest."""
    program = [sys.executable, "-S", "-c", "while True: pass"]
    others = [subprocess.Popen(program) for _ in range(processes)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("sandbox", ["bubblewrap", "sandlock"])
def test_grades_on_a_machine_with_eight_times_its_work_are_those_of_an_idle_one(
    tiny: Path, sandbox: str
) -> None:
    students = STUDENTS[sandbox]
    grader = Grader(tiny, NAME, seed=1, sandbox=sandbox, limits=ProcessLimits(cell_seconds=2.0))

    def grade(double: str) -> Result:
        first = Cell(None, "import threading, time\nimport numpy as np")
        others = Cell("mean_square", SOLUTIONS["mean_square"])
        return grader.grade([first, Cell("double", double), others])

    def grade_all() -> dict[str, Result]:
        with ThreadPoolExecutor(4) as pool:
            results = pool.map(grade, [DOUBLES[name] for name in students])
            return dict(zip(students, results, strict=True))

    idle = grade_all()
    with busy(FOLD * (os.cpu_count() or 1)):
        loaded = grade_all()
    for name in students:  # one at a time: a difference can be read
        assert loaded[name] == idle[name], name
    for name, result in idle.items():
        points = {one.exercise: one.points for one in result.outcomes.values()}
        assert points == {"double": 4.0 * (name in FULL), "mean_square": 6.0}, name
