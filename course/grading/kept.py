"""Results by content: the same cells, graded against the same reference, are not run again.

A batch that was killed, or is graded again because one student handed in again, runs only what is
missing.  Nobody but the owner of the course can read or write these files; workers do not see them.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from course import __version__
from course.grading.results import Cell, Outcome, Result

# The files that a reference, or a result, depends on; the others print, record or draw.
PARTS = (
    "bubblewrap", "compare", "confine", "container", "diagnose", "execute", "exercise",
    "fingerprint", "grader", "influence", "landlock", "misconception", "namespaces", "notebook", "process",
    "reference", "results", "run", "runtime", "sandbox", "seccomp", "supervise", "values", "worker",
    "zygote",
)  # fmt: skip
DAY = 86_400.0  # seconds for which results on another basis are kept: a batch may still use them
ROOM = 500_000_000  # bytes of results that are kept for one assignment
# A limit that was reached, or a process that died, may be the machine's fault: those run again.
SETTLED = ("correct", "partly", "wrong", "not done")


def code_digest(imports: Iterable[str]) -> str:
    """A digest of what decides about results: our code, Python, NumPy, the parts of `course` allowed.

    imports : what an exercise set allows.
    """
    import numpy as np

    here = Path(__file__).parent
    digest = hashlib.sha256(
        "\0".join((__version__, np.__version__, platform.python_version())).encode()
    )
    files = [here / f"{part}.py" for part in PARTS]
    for name in sorted(imports):
        if name.startswith("course."):
            path = here.parent.joinpath(*name.split(".")[1:])
            files += sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]
    for file in files:
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


class Kept:
    """The results of one assignment, a file for each content.

    folder : where they lie.
    basis : a digest of all that a result depends on beside the student's cells; results that were
        made on another one are not seen.
    """

    def __init__(self, folder: Path, basis: str) -> None:
        self.folder = folder / basis[:20]

    def tidy(self, room: int = ROOM) -> None:
        """Remove results on another basis, and the oldest of this one beyond so many bytes.

        Safe while others are grading: whoever misses a result runs the submission again.
        """
        with contextlib.suppress(OSError):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.utime(self.folder)
        for other in self.folder.parent.glob("*"):
            with contextlib.suppress(OSError):
                if other != self.folder and other.stat().st_mtime < time.time() - DAY:
                    shutil.rmtree(other, ignore_errors=True)
        found = []
        for file in self.folder.parent.glob("*/*"):
            with contextlib.suppress(OSError):
                found.append((file.stat().st_mtime, file.stat().st_size, file))
        used = 0
        for _, size, file in sorted(found, reverse=True):
            used += size
            if used > room:
                with contextlib.suppress(OSError):
                    file.unlink()

    def path(self, cells: Sequence[Cell]) -> Path:
        """The file for these cells."""
        text = json.dumps([[cell.grade_id, cell.source] for cell in cells])  # ASCII
        return self.folder / f"{hashlib.sha256(text.encode()).hexdigest()[:40]}.json"

    def find(self, cells: Sequence[Cell]) -> Result | None:
        """The result for these cells, or None."""
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            said = json.loads(self.path(cells).read_text(encoding="utf-8"))
            outcomes = {name: Outcome(**outcome) for name, outcome in said["outcomes"].items()}
            return Result(outcomes, said["reason"], tuple(said["notes"]))
        return None

    def keep(self, cells: Sequence[Cell], result: Result) -> None:
        """Write a result, whole or not at all; a full disk costs only the time to run it again."""
        if any(outcome.status not in SETTLED for outcome in result.outcomes.values()):
            return
        draft = None
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, draft = tempfile.mkstemp(dir=self.folder, prefix=".")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(asdict(result), file)
            os.replace(draft, self.path(cells))
        except OSError:
            if draft is not None:
                with contextlib.suppress(OSError):
                    os.unlink(draft)
