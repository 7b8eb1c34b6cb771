"""What is graded, and what grading says: an outcome for each exercise, a result for each submission.

Results are made in the trusted process only.  Every text in it that comes from a student's program is plain,
bounded and marked as such; nothing here is ever executed or unpickled.
"""

from __future__ import annotations

from dataclasses import dataclass, field


class GradingRefused(Exception):
    """Nothing can be graded; the text says why and what to do, in one sentence."""


@dataclass(frozen=True)
class Cell:
    """A code cell of a submission: its `grade_id` if it is a solution cell, and its text."""

    grade_id: str | None
    source: str


@dataclass(frozen=True)
class Outcome:
    """How one exercise went.

    points : finite, 0 <= points <= max_points.
    status : one of 'correct', 'partly', 'wrong', 'not done', 'error', 'limit'.
        'not done': it raised NotImplementedError or its name is not defined.
        'error': it raised; 'limit': it ran out of time, memory or output.
    message : one or more sentences for the student, plain text.
    misconception : name of the wrong implementation whose values these are, if one fits.
    """

    exercise: str
    points: float
    max_points: float
    status: str
    message: str
    misconception: str | None = None


@dataclass(frozen=True)
class Result:
    """How one submission went.

    reason : why nothing could be graded (unreadable notebook, ...), plain text, else None.
    notes : remarks about the submission as a whole, such as cells that were restored.
    """

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    reason: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def points(self) -> float:
        """Points of all exercises together."""
        return sum(o.points for o in self.outcomes.values())

    @property
    def max_points(self) -> float:
        """Points that could be had."""
        return sum(o.max_points for o in self.outcomes.values())
