"""`course regrade`: after an exercise was mended, see whose grade changes before anything is written.

Every submission is graded anew in memory; gradebook, graded copies and feedback pages stay as they
are.  Only then, and only for those whose result differs, `write` grades through nbgrader as
`course grade` does.  Marks given by hand stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from course.grading.results import Outcome, Result

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Difference:
    """One exercise that is worth something else now; None where it did not or does not exist."""

    exercise: str
    old: Outcome | None
    new: Outcome | None


@dataclass(frozen=True)
class Change:
    """One student's result as it is recorded, and as it would be now.

    failed : why the submission could not be graded anew; nothing is written then.
    """

    student: str
    old: Result | None
    new: Result
    failed: str | None = None

    @property
    def differences(self) -> list[Difference]:
        """The exercises whose points differ, in the order of the notebook."""
        old = self.old.outcomes if self.old else {}
        found = []
        for name in dict.fromkeys((*self.new.outcomes, *old)):
            before, after = old.get(name), self.new.outcomes.get(name)
            if worth(before) != worth(after):
                found.append(Difference(name, before, after))
        return found

    @property
    def grade_changes(self) -> bool:
        return bool(self.differences)

    @property
    def only_words_change(self) -> bool:
        """Whether the points stay and the feedback says something else."""
        return not self.grade_changes and self.old != self.new

    @property
    def gain(self) -> float:
        """Points won; negative if the student loses some."""
        return self.new.points - (self.old.points if self.old else 0.0)


def worth(outcome: Outcome | None) -> tuple[float, float] | None:
    """Points and possible points to a millionth, so that rounding is no change."""
    if outcome is None:
        return None
    return round(outcome.points, 6), round(outcome.max_points, 6)


def changes(
    course_root: Path | str,
    name: str,
    students: Sequence[str] | None = None,
    progress: Progress | None = None,
    *,
    sandbox: str = "auto",
) -> list[Change]:
    """Grade submissions anew, in memory, and compare with what is recorded.

    students : who; None for all that were graded before.
    Raises GradingRefused if there is nothing to compare with, no sandbox, or no such student.
    """
    from course.grading.autograde import grader_for
    from course.grading.gradebook import (
        GradingRefused,
        course_directory,
        recorded_result,
        submitted_students,
    )

    coursedir, _ = course_directory(course_root)
    old = {}
    for student in submitted_students(course_root, name):
        result = recorded_result(coursedir, name, student)
        if result.outcomes:
            old[student] = result
    unknown = [student for student in students or () if student not in old]
    if unknown or not old:
        who = f" by {', '.join(unknown)}" if unknown else ""
        raise GradingRefused(f"No submission of {name}{who} was graded before: use course grade.")
    try:
        grader_for(course_root, name, sandbox)
    except Exception as error:
        raise GradingRefused(" ".join(str(error).split()) or type(error).__name__) from error
    chosen = list(dict.fromkeys(students or old))
    found = []
    for change in graded_anew(course_root, name, {s: old[s] for s in chosen}, sandbox):
        found.append(change)
        if progress is not None:
            progress(len(found), len(chosen), change.student)
    return found


def graded_anew(
    course_root: Path | str, name: str, old: dict[str, Result], sandbox: str
) -> Iterator[Change]:
    """Each student's change; a failure of the grader itself concerns one student only."""
    from course.grading.fresh import fresh_result

    for student, recorded in old.items():
        try:
            yield Change(student, recorded, fresh_result(course_root, name, student, sandbox))
        except Exception as error:
            text = " ".join(str(error).split())
            yield Change(student, recorded, recorded, f"{type(error).__name__}: {text}")


def write(
    course_root: Path | str,
    name: str,
    found: Sequence[Change],
    progress: Callable[[int, int, str, Result], None] | None = None,
    *,
    sandbox: str = "auto",
) -> dict[str, Result]:
    """Record what changes, and write those feedback pages anew; nobody else's are touched."""
    from course.grading.gradebook import grade_class

    concerned = [c.student for c in found if c.failed is None and c.old != c.new]
    if not concerned:
        return {}
    return grade_class(course_root, name, concerned, progress, sandbox=sandbox)
