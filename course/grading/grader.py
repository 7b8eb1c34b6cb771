"""Grading: a submission's cells in, a result out.

A `Grader` belongs to the trusted side.  It holds the hidden inputs of one assignment and the
reference for them.  The student's cells run in a sandboxed worker; only plain values come back, and
they are compared here.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import tempfile
from collections.abc import Sequence
from pathlib import Path

from course.grading.diagnose import judge
from course.grading.kept import Kept, code_digest
from course.grading.reference import Reference, Solution, compute
from course.grading.results import Cell, Outcome, Result
from course.grading.run import Failure, Run
from course.grading.sandbox import ProcessLimits, find
from course.grading.supervise import Ran, run_submission
from course.grading.values import Packed

MAX_CELLS = 1000
MAX_SOURCE = 2_000_000  # characters in all cells together


class Grader:
    """Grades submissions of one assignment.

    course_root : the folder that holds `solutions/`.
    name : the assignment, for example '09-backprop'.
    seed : seed of the hidden inputs; None reads it from `.grading/seed`, made on first use.
    sandbox : 'auto' (bubblewrap, else sandlock), 'bubblewrap', 'sandlock', or 'none': a plain
        subprocess with limits, for code one trusts.
    limits : what a worker may use.
    keep : keep results by content in `.grading/results`, and take them from there.

    Raises SandboxUnavailable, or SolutionError if the instructor's side is not in order.
    """

    def __init__(
        self,
        course_root: Path | str,
        name: str,
        *,
        seed: int | None = None,
        sandbox: str = "auto",
        limits: ProcessLimits | None = None,
        keep: bool = False,
    ) -> None:
        self.sandbox = find(sandbox)
        self.limits = limits or ProcessLimits()
        self.course_root = Path(course_root).resolve()
        self.name = name
        self.solution = Solution.load(self.course_root, name)
        self.exercises = self.solution.exercises
        secret = self.course_root / ".grading"
        self.seed = hidden_seed(secret) if seed is None else seed
        self.inputs = {e.name: e.inputs(self.seed) for e in self.exercises.values()}
        self.packed = {name: Packed(inputs) for name, inputs in self.inputs.items()}
        self.reference = cached_reference(self.solution, self.seed, secret)
        basis = f"{reference_digest(self.solution, self.seed)} {self.sandbox.name} {self.limits}"
        basis = hashlib.sha256(basis.encode()).hexdigest()
        self.kept = Kept(secret / "results" / name, basis) if keep else None
        if self.kept is not None:
            self.kept.tidy()

    def grade(self, cells: Sequence[Cell]) -> Result:
        """Grade one submission; never raises for anything its author could write."""
        if len(cells) > MAX_CELLS or sum(len(c.source) for c in cells) > MAX_SOURCE:
            return self.refused(
                f"The notebook is too large: at most {MAX_CELLS} code cells and"
                f" {MAX_SOURCE:,} characters of code are graded."
            )
        if self.kept is not None and (known := self.kept.find(cells)) is not None:
            return known
        ran = run_submission(
            [Cell(c.grade_id, encodable(c.source)) for c in cells],
            self.exercises,
            self.packed,
            self.sandbox,
            self.limits,
        )
        result = self.result(cells, ran)
        if self.kept is not None:
            self.kept.keep(cells, result)
        return result

    def result(self, cells: Sequence[Cell], ran: Ran) -> Result:
        """Compare what came back with the reference."""
        failures = failures_by_id(cells, ran)
        outcomes: dict[str, Outcome] = {}
        for name, exercise in self.exercises.items():
            outcomes[name] = judge(
                exercise,
                self.reference.expected[name],
                ran.runs.get(name, Run(failure=Failure("error", "exit", "it gave no answer"))),
                self.reference.suspects[name],
                cells=failures,
                inputs=self.inputs[name],
            )
        return Result(outcomes)

    def refused(self, reason: str) -> Result:
        """Zero points for everything, with a reason."""
        return Result(
            {
                name: Outcome(name, 0.0, e.points, "not done", "Not graded.")
                for name, e in self.exercises.items()
            },
            reason=reason,
        )


def failures_by_id(cells: Sequence[Cell], ran: Ran) -> dict[str, Failure]:
    """The failures of solution cells, by grade_id."""
    return {
        grade_id: failure
        for number, failure in ran.cells.items()
        if (grade_id := cells[number].grade_id) is not None
    }


def encodable(source: str) -> str:
    """Text that can be written as UTF-8: lone surrogates become question marks."""
    return source.encode("utf-8", "replace").decode("utf-8")


def hidden_seed(folder: Path) -> int:
    """The seed of the hidden inputs, made once and readable by its owner only."""
    path = folder / "seed"
    folder.mkdir(mode=0o700, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        # Written beside it and linked into place: two processes that start together agree.
        handle, draft = tempfile.mkstemp(dir=folder)
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(f"{secrets.randbits(62)}\n")
            os.link(draft, path)
        finally:
            os.unlink(draft)
    return int(path.read_text(encoding="ascii"))


def reference_digest(solution: Solution, seed: int) -> str:
    """A digest of everything that a reference depends on."""
    parts = [code_digest(solution.exercises.imports), str(seed), solution.exercises.source]
    parts += [repr(solution.cells), repr(solution.misconceptions)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def cached_reference(solution: Solution, seed: int, folder: Path) -> Reference:
    """The reference for the hidden seed; kept in `folder` until something it depends on changes."""
    path = folder / f"{solution.folder.name}-{reference_digest(solution, seed)[:20]}.json"
    with contextlib.suppress(OSError, ValueError):
        return Reference.loads(path.read_text(encoding="utf-8"))
    reference = compute(solution, seed)
    folder.mkdir(mode=0o700, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=folder)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(reference.dumps(solution.exercises))
    for old in folder.glob(f"{solution.folder.name}-*.json"):
        old.unlink(missing_ok=True)
    os.replace(draft, path)
    return reference
