"""A whole class, timed: `python -m benchmarks.class_size [N] [--quick] [--stored]`.

Makes N different submissions of assignment 09 (honest, mistaken, broken and hostile ones, each with
a comment of its own so that no result is known before), runs `course grade` on two cores, and says
how long it took and how much memory all its processes had together at most.

With `--stored`, each kind of submission was graded before, so that workers are left out: what
remains is what nbgrader's gradebook, the pages, the export and the summary cost in a class of N.
`python -m benchmarks.class_size 100 1000 10000 --stored` shows whether that grows with the class.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NAME = "09-backprop"
HERE = Path(__file__).resolve().parents[1]
CLASS, SECONDS, MEGABYTES = 1000, 600.0, 1000.0  # the gate: a class, its time and memory
EXPORTS = ("nbgrader", "canvas", "moodle", "junit")
HOSTILE = 1 / 20  # of the class
LEFT_OUT = ("hostile-memory",)  # it takes all that a worker may have, 1 GB, whatever grading needs


@dataclass(frozen=True)
class Took:
    """One command: wall and processor seconds, and the highest memory in MB."""

    wall: float
    cpu: float
    peak: float


def kinds(root: Path) -> tuple[list[str], list[str]]:
    """The texts of every honest or broken kind of submission, and those of hostile ones."""
    from course.grading.demo import make_class

    quiet: list[str] = []
    hostile: list[str] = []
    for one in make_class(HERE, root, NAME):
        text = one.file if isinstance(one.file, str) else json.dumps(one.file)
        if one.student not in LEFT_OUT:
            (hostile if one.kind == "hostile" else quiet).append(text)
    shutil.rmtree(root / "submitted")
    return quiet, hostile


def commented(text: str, comment: str) -> str:
    """A submission with a comment at the end of its solution cells; a broken one as it is."""
    try:
        notebook: dict[str, Any] = json.loads(text)
    except ValueError:
        return text + comment
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("solution"):
            source = cell["source"]
            cell["source"] = (
                f"{source if isinstance(source, str) else ''.join(source)}\n# {comment}"
            )
    return json.dumps(notebook)


def make(root: Path, n: int, stored: bool) -> None:
    """A course with a class of `n`; with `stored`, results for every content are there."""
    quiet, hostile = kinds(root)
    file = next((root / "assignments" / NAME).glob("*.ipynb")).name
    if stored:
        for i, text in enumerate(quiet):
            hand_in(root, f"kind-{i:02}", file, text)
        run(root, "grade", NAME)
        for step in ("submitted", "autograded", "feedback", ".grading/attempts"):
            shutil.rmtree(root / step)
        for database in root.glob("gradebook.db*"):
            database.unlink()
    every = round(1 / HOSTILE)
    for i in range(n):
        text = quiet[i % len(quiet)] if stored or i % every else hostile[i // every % len(hostile)]
        hand_in(root, f"student-{i:05}", file, text if stored else commented(text, f"student {i}"))


def hand_in(root: Path, student: str, file: str, text: str) -> None:
    """Put a file where submissions lie."""
    target = root / "submitted" / student / NAME / file
    target.parent.mkdir(parents=True)
    target.write_text(text, encoding="utf-8")


def run(root: Path, *arguments: str) -> Took:
    """One `course` command on two cores."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    with open(root / "output", "w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "course", *arguments],
            cwd=root,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=on_two_cores,
            env={**os.environ, "PYTHONPATH": str(HERE)},
        )
        with memory(process.pid) as peak:
            code = process.wait()
    took = time.perf_counter() - began
    with contextlib.suppress(ChildProcessError):  # what it left behind, which is ours now
        while True:
            os.waitpid(-1, 0)
    if code:
        raise SystemExit(f"course {' '.join(arguments)} ended with {code}:\n{tail(root)}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Took(took, cpu, peak[0] / 1024)


def tail(root: Path) -> str:
    """The last lines that a command printed."""
    return "\n".join((root / "output").read_text(encoding="utf-8").splitlines()[-8:])


def adopt() -> None:
    """Be the parent of what a command leaves behind, so that its processor time is counted."""
    PR_SET_CHILD_SUBREAPER = 36
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


def on_two_cores() -> None:
    """Keep a process and all it starts on two cores."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])


@contextlib.contextmanager
def memory(pid: int, every: float = 1.0) -> Iterator[list[int]]:
    """Watches a process and its descendants; the list holds the highest sum of their memory in KB.

    A page that several processes share counts once (PSS).
    """
    peak, over = [0], threading.Event()

    def watch() -> None:
        while not over.wait(every):
            peak[0] = max(peak[0], sum(map(proportional, tree(pid))))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        over.set()
        watcher.join()


def tree(pid: int) -> list[int]:
    """A process and its descendants."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError, IndexError, ValueError):
                status = Path(f"/proc/{entry}/stat").read_text(encoding="utf-8", errors="replace")
                children.setdefault(int(status.rpartition(")")[2].split()[1]), []).append(
                    int(entry)
                )
    found, left = [], [pid]
    while left:
        found.append(left.pop())
        left += children.get(found[-1], [])
    return found


def proportional(pid: int) -> int:
    """The memory of a process in KB, shared pages by its share of them."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Print the figures; 1 if the gate is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.class_size", description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, metavar="N", help=f"default {CLASS}")
    parser.add_argument("--quick", action="store_true", help="a class of 60")
    parser.add_argument("--stored", action="store_true", help="leave the workers out")
    options = parser.parse_args(arguments)
    adopt()
    missed = False
    print(
        f"{'students':>8}  {'command':20}{'wall s':>9}{'cpu s':>9}{'cpu ms each':>13}{'peak MB':>9}"
    )
    for n in options.sizes or [60 if options.quick else CLASS]:
        with tempfile.TemporaryDirectory(prefix="class-size-") as folder:
            root = Path(folder)
            make(root, n, options.stored)
            commands: list[tuple[str, ...]] = [("grade", NAME)]
            commands += [("export", NAME, "--format", f) for f in EXPORTS if options.stored]
            for command in commands:
                took = run(root, *command)
                title = " ".join((command[0], *command[3:]))
                print(
                    f"{n:8}  {title:20}{took.wall:9.1f}{took.cpu:9.1f}"
                    f"{1000 * took.cpu / n:13.2f}{took.peak:9.0f}",
                    flush=True,
                )
                if command[0] == "grade":
                    counts = [x for x in tail(root).splitlines() if " submissions: " in x]
                    print(f"{'':10}{''.join(counts)}", flush=True)
                    slow = took.wall > SECONDS * n / CLASS and not options.stored
                    missed |= slow or took.peak > MEGABYTES
    print(
        f"gate: {CLASS} submissions on 2 cores in {SECONDS:g} s and {MEGABYTES:g} MB:"
        f" {'MISSED' if missed else 'met'}"
    )
    return int(missed)


if __name__ == "__main__":
    raise SystemExit(main())
