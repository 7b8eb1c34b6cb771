"""Grading: a submission's cells in, a result out.

A `Grader` belongs to the trusted side.  It holds the hidden inputs of one assignment, the values that
the instructor's solution gives for them, and the values of every misconception.  The student's cells
run in a sandboxed worker; only plain values come back, and they are compared here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from course.grading.exercise import ExerciseSet
from course.grading.results import Cell, Result


class Grader:
    """Grades submissions of one assignment.

    course_root : the folder that holds `solutions/`.
    name : the assignment, for example '09-backprop'.
    seed : seed of the hidden inputs; None reads it from `.grading/seed`, made on first use.
    sandbox : 'auto' (bubblewrap, else sandlock, else `SandboxUnavailable`), 'bubblewrap',
        'sandlock', or 'none': a plain subprocess with limits, for code one trusts.
    """

    def __init__(
        self,
        course_root: Path | str,
        name: str,
        *,
        seed: int | None = None,
        sandbox: str = "auto",
    ) -> None:
        self.course_root = Path(course_root)
        self.name = name
        self.seed = seed
        self.sandbox = sandbox
        self.exercises = ExerciseSet.load(self.course_root / "solutions" / name / "exercises.py")

    def grade(self, cells: Sequence[Cell]) -> Result:
        """Grade one submission; never raises for anything its author could write."""
        return Result(reason="Grading is not available yet.")
