"""What a class agrees on: which of several submissions counts, and what being late costs.

One line in `nbgrader_config.py`, after `configure(c)`:

    policy(c, keep="best", grace_minutes=15, percent_per_day=10, at_most=50)

The due date is nbgrader's (formgrader, or `nbgrader db assignment add NAME --duedate=...`), an
extension for one student too.  When a submission came in is what `attempts.py` recorded on this
side; a student's own `timestamp.txt` is never asked.
"""

from __future__ import annotations

import math
from typing import Any

from nbgrader.plugins import LateSubmissionPlugin
from traitlets import Float

from course.grading import arrival, generate

DAY = 86_400


class LatePolicy(LateSubmissionPlugin):
    """So many per cent of the points earned for each day begun, after some minutes of grace."""

    grace_minutes = Float(0.0, min=0.0, help="Minutes after the due date that cost nothing.").tag(
        config=True
    )
    percent_per_day = Float(
        0.0, min=0.0, max=100.0, help="Per cent of the points earned, for each day begun."
    ).tag(config=True)
    at_most = Float(100.0, min=0.0, max=100.0, help="Per cent that are taken off at most.").tag(
        config=True
    )

    def late_submission_penalty(
        self, student_id: str, score: float, total_seconds_late: float
    ) -> float | None:
        """Points to take off; None if none.

        >>> late = LatePolicy(percent_per_day=10, at_most=50, grace_minutes=15)
        >>> late.late_submission_penalty("ada", 80.0, 900), late.late_submission_penalty("ada", 80.0, 901)
        (None, 8.0)
        >>> late.late_submission_penalty("ada", 80.0, 86_401)
        16.0
        """
        if total_seconds_late <= 60 * self.grace_minutes or not self.percent_per_day:
            return None
        days = math.ceil(total_seconds_late / DAY)
        return score * min(self.percent_per_day * days, self.at_most) / 100


def policy(
    c: Any,
    *,
    keep: str = "last",
    grace_minutes: float = 0.0,
    percent_per_day: float = 0.0,
    at_most: float = 100.0,
) -> None:
    """Set the class's policy in nbgrader's configuration `c`; call it after `configure(c)`.

    keep : 'last', the latest submission counts; 'best', the one with most points after penalties.
    grace_minutes, percent_per_day, at_most : see `LatePolicy`.
    Raises ValueError for a value that means nothing.
    """
    if keep not in ("last", "best"):
        raise ValueError(f"keep must be 'last' or 'best', not {keep!r}")
    if not (0 <= percent_per_day <= 100 and 0 <= at_most <= 100 and grace_minutes >= 0):
        raise ValueError("percent_per_day and at_most lie in 0..100, grace_minutes is not negative")
    steps = c.Autograde.autograde_preprocessors
    if not isinstance(steps, list):
        raise ValueError("call configure(c) before policy(c)")
    ours = "course.grading.attempts.Attempts"
    if ours not in steps:  # after grading, before the points are saved
        steps.insert(1, ours)
    arrival.install()
    generate.install()
    c.Attempts.keep = keep
    c.AssignLatePenalties.plugin_class = "course.grading.policy.LatePolicy"
    c.LatePolicy.grace_minutes = float(grace_minutes)
    c.LatePolicy.percent_per_day = float(percent_per_day)
    c.LatePolicy.at_most = float(at_most)
