"""Stock `nbgrader autograde` beside `course grade`: `python -m benchmarks.grading_speed [--quick]`.

The same submissions of assignment 09 in two copies of the course: one with nbgrader's own settings,
where a kernel runs each notebook, one with ours, in the sandbox, with feedback pages written too.
Both start from an empty gradebook in every round; rounds are interleaved.  Times are wall seconds
for each submission from inside one process, imports and what a class needs once (`prepare`) left
out of both.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NAME = "09-backprop"
GATE = 10.0
HERE = Path(__file__).resolve().parents[1]


def make(root: Path, n: int) -> list[str]:
    """The course and `n` honest or mistaken submissions; returns the students."""
    from course.grading.demo import make_class

    everyone = make_class(HERE, root, NAME)
    chosen = [s.student for s in everyone if s.kind in ("honest", "misconception")]
    chosen = chosen[:: max(1, len(chosen) // n)][:n]
    for submission in everyone:
        if submission.student not in chosen:
            shutil.rmtree(root / "submitted" / submission.student)
    return sorted(chosen)


def empty(root: Path) -> None:
    """Leave nothing that an earlier round made, but the expected values."""
    for step in ("autograded", "feedback", ".grading/results", ".grading/attempts"):
        shutil.rmtree(root / step, ignore_errors=True)
    for file in root.glob("gradebook.db*"):
        file.unlink()


def stock(root: Path) -> float:
    """Seconds of nbgrader's own autograde over the class."""
    from nbgrader.converters import Autograde
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config

    empty(root)
    log = logging.getLogger("stock")
    log.addHandler(logging.NullHandler())
    log.propagate = False
    config = Config()
    config.CourseDirectory.root = str(root)
    config.CourseDirectory.source_directory = "solutions"
    config.CourseDirectory.release_directory = "assignments"
    coursedir = CourseDirectory(config=config, log=log)
    coursedir.assignment_id = NAME
    record(root)
    began = time.perf_counter()
    Autograde(coursedir=coursedir, config=config, log=log).start()
    return time.perf_counter() - began


def record(root: Path) -> None:
    """Tell the gradebook of the assignment."""
    from course.grading.autograde import record_assignment, released_notebooks
    from course.grading.gradebook import course_directory

    coursedir, _ = course_directory(root)
    record_assignment(coursedir, NAME, released_notebooks(coursedir, NAME))


def ours(root: Path) -> float:
    """Seconds of `grade_class` over the class, in this process."""
    from course.grading.gradebook import grade_class, prepare

    empty(root)
    prepare(root, NAME)
    began = time.perf_counter()
    results = grade_class(root, NAME)
    took = time.perf_counter() - began
    if bad := [s for s, r in results.items() if r.reason]:
        raise SystemExit(f"not graded: {', '.join(bad)}")
    return took


def worker(way: str, root: Path) -> None:
    """Serve rounds of one way of grading: a line in, the seconds out."""
    for _ in sys.stdin:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            took = {"stock": stock, "ours": ours}[way](root)
        print(json.dumps(took), flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Print the table; 1 if the gate is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.grading_speed", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer submissions and rounds")
    parser.add_argument("--serve", nargs=2, metavar=("WAY", "ROOT"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.serve:
        worker(options.serve[0], Path(options.serve[1]))
        return 0
    n, rounds = (4, 2) if options.quick else (12, 3)
    times: dict[str, list[float]] = {"stock": [], "ours": []}
    with tempfile.TemporaryDirectory(prefix="grading-speed-") as folder:
        servers = {}
        for way in times:
            root = Path(folder) / way
            students = make(root, n)
            if way == "stock":
                (root / "nbgrader_config.py").unlink(missing_ok=True)
            one_core = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
            servers[way] = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.grading_speed", "--serve", way, str(root)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                cwd=HERE,
                env={**os.environ, **one_core},
                preexec_fn=on_one_core,
            )
        for turn in range(rounds + 1):
            for way, server in servers.items():
                assert server.stdin is not None
                assert server.stdout is not None
                print("grade", file=server.stdin, flush=True)
                seconds = json.loads(server.stdout.readline()) / len(students)
                if turn:  # the first warms up
                    times[way].append(seconds)
        for server in servers.values():
            assert server.stdin is not None
            server.stdin.close()
            server.wait()
    slow, fast = (statistics.median(times[way]) for way in ("stock", "ours"))
    ratio = slow / fast
    print(f"{len(students)} submissions of {NAME}, {rounds} rounds, one core, medians")
    print(f"{'':36}{'s each':>8}{'lowest':>8}")
    print(f"{'nbgrader autograde, no sandbox':36}{slow:8.3f}{min(times['stock']):8.3f}")
    print(f"{'course grade, sandbox and feedback':36}{fast:8.3f}{min(times['ours']):8.3f}")
    print(f"ratio {ratio:.1f}  gate >= {GATE:g} {'met' if ratio >= GATE else 'MISSED'}")
    return int(ratio < GATE)


def on_one_core() -> None:
    """Keep a process and all it starts on one core: the gate is for each core."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


if __name__ == "__main__":
    raise SystemExit(main())
