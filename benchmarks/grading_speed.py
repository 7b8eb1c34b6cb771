"""Stock `nbgrader autograde` beside `course grade`: `python -m benchmarks.grading_speed [--quick]`.

The same submissions of assignment 09 in two copies of the course: one with nbgrader's own settings,
where a kernel runs each notebook, one with ours, in the sandbox, with feedback pages written too.
Both start from an empty gradebook in every round; rounds are interleaved, and the ratio is the median
of the rounds' ratios, so that a machine that is busy for a while does not decide.  Times are seconds
on the clock for each submission, both ways kept on the same core, imports and what a class needs once
(`prepare`) left out of both.  The second table shows where ours spends them.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import importlib
import io
import json
import logging
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

NAME = "09-backprop"
STEPS = {
    "the student's code, in its worker": ("course.grading.grader", "run_submission"),
    "comparing, hints": ("course.grading.grader", "Grader.result"),
    "rebuilding, recording": ("course.grading.autograde", "SandboxedAutograde.start"),
    "feedback page": ("nbgrader.converters", "GenerateFeedback.start"),
}
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


def clocked(module: str, name: str, spent: dict[str, float], step: str) -> None:
    """Add the seconds that a function takes to `spent[step]`, from now on."""
    *holders, last = name.split(".")
    owner = functools.reduce(getattr, holders, importlib.import_module(module))
    function = getattr(owner, last)

    @functools.wraps(function)
    def timed(*arguments: Any, **options: Any) -> Any:
        began = time.perf_counter()
        try:
            return function(*arguments, **options)
        finally:
            spent[step] += time.perf_counter() - began

    setattr(owner, last, timed)


def worker(way: str, root: Path) -> None:
    """Serve rounds of one way of grading: a line in; the seconds, and those of each step, out."""
    spent = dict.fromkeys(STEPS, 0.0)
    if way == "ours":
        for step, (module, name) in STEPS.items():
            clocked(module, name, spent, step)
    for _ in sys.stdin:
        before = dict(spent)
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            took = {"stock": stock, "ours": ours}[way](root)
        steps = {step: spent[step] - before[step] for step in STEPS}
        steps["rebuilding, recording"] -= sum(list(steps.values())[:2])  # which it calls
        print(json.dumps([took, {**steps, "the rest": took - sum(steps.values())}]), flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Print the tables; 1 if the gate is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.grading_speed", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer submissions and rounds")
    parser.add_argument("--serve", nargs=2, metavar=("WAY", "ROOT"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.serve:
        worker(options.serve[0], Path(options.serve[1]))
        return 0
    n, rounds = (4, 3) if options.quick else (12, 5)
    times: dict[str, list[float]] = {"stock": [], "ours": []}
    steps: list[dict[str, float]] = []
    core = idlest_core()
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
                preexec_fn=functools.partial(keep_on, core),
            )
        for turn in range(rounds + 1):
            for way, server in servers.items():
                assert server.stdin is not None
                assert server.stdout is not None
                print("grade", file=server.stdin, flush=True)
                took, spent = json.loads(server.stdout.readline())
                if turn:  # the first warms up
                    times[way].append(took / len(students))
                    if way == "ours":
                        steps.append({step: s / len(students) for step, s in spent.items()})
        for server in servers.values():
            assert server.stdin is not None
            server.stdin.close()
            server.wait()
    return report(times, steps, len(students))


def report(times: dict[str, list[float]], steps: list[dict[str, float]], n: int) -> int:
    """Print what was measured; 1 if the gate is missed."""
    ratios = [slow / fast for slow, fast in zip(times["stock"], times["ours"], strict=True)]
    print(f"{n} submissions of {NAME}, {len(ratios)} rounds, one core, medians")
    print(f"{'':36}{'s each':>8}{'lowest':>8}")
    for title, way in (
        ("nbgrader autograde, no sandbox", "stock"),
        ("course grade, sandbox and feedback", "ours"),
    ):
        print(f"{title:36}{statistics.median(times[way]):8.3f}{min(times[way]):8.3f}")
    print(f"\n{'of which':36}{'ms each':>8}")
    for step in steps[0]:
        print(f"{step:36}{1000 * statistics.median(one[step] for one in steps):8.1f}")
    ratio = statistics.median(ratios)
    met = "met" if ratio >= GATE else "MISSED"
    print(f"\nratio {ratio:.1f} ({min(ratios):.1f} to {max(ratios):.1f})  gate >= {GATE:g} {met}")
    return int(ratio < GATE)


def idlest_core() -> int | None:
    """The core that was idle most of the time just now; None where that cannot be told."""
    if not hasattr(os, "sched_getaffinity") or not Path("/proc/stat").exists():
        return None

    def idle() -> dict[int, int]:
        lines = [line.split() for line in Path("/proc/stat").read_text().splitlines()]
        return {int(x[0][3:]): int(x[4]) for x in lines if re.fullmatch(r"cpu\d+", x[0])}

    before = idle()
    time.sleep(0.5)
    after = idle()
    allowed = os.sched_getaffinity(0) & after.keys() & before.keys()
    return max(sorted(allowed), key=lambda core: after[core] - before[core], default=None)


def keep_on(core: int | None) -> None:
    """Keep a process and all it starts on one core: the gate is for each core."""
    if core is not None:
        os.sched_setaffinity(0, {core})


if __name__ == "__main__":
    raise SystemExit(main())
