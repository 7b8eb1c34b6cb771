"""The grades of an assignment as the gradebook has them, each with the reason that grading gave.

Points are nbgrader's: those given by hand, extra credit and late penalties included.  Reasons are
those of our results, stored with the graded notebooks; a grader's own comment comes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from course.grading.results import Result


@dataclass(frozen=True)
class CellGrade:
    """One graded cell of one submission.

    exercise : the grade_id without `check-`.
    points, max_points : as in the gradebook.
    status : as in `Outcome`; 'by hand' for answers that a person marks.
    message : why, plain text; may be empty.
    """

    exercise: str
    points: float
    max_points: float
    status: str
    message: str
    misconception: str | None = None


@dataclass(frozen=True)
class StudentGrade:
    """What one student has for an assignment.

    handed_in : False if there is no submission; all points are zero then.
    penalty : points taken off for being late.
    score : what counts; never below zero.
    waiting : answers that a person still has to mark.
    reason : why nothing could be graded, else None.
    """

    student: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    lms_id: str = ""
    handed_in: bool = False
    timestamp: datetime | None = None
    due: datetime | None = None
    raw_score: float = 0.0
    penalty: float = 0.0
    max_score: float = 0.0
    waiting: int = 0
    cells: tuple[CellGrade, ...] = ()
    reason: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def score(self) -> float:
        return max(0.0, self.raw_score - self.penalty)

    @property
    def name(self) -> str:
        """'Last, First', or the student's id if the gradebook has no name."""
        return ", ".join(filter(None, [self.last_name, self.first_name])) or self.student


def grades(course_root: Path | str, name: str) -> list[StudentGrade]:
    """The grades of everybody in the gradebook for one assignment, by student.

    Raises LookupError if the gradebook does not know the assignment.
    """
    from nbgrader.api import Gradebook, MissingEntry

    from course.grading.gradebook import course_directory, recorded_result

    coursedir, _ = course_directory(course_root)
    with Gradebook(coursedir.db_url, coursedir.course_id) as book:
        try:
            assignment = book.find_assignment(name)
        except MissingEntry:
            raise LookupError(
                f"The gradebook has no assignment {name}: grade it first (course grade {name})."
            ) from None
        most, due = float(assignment.max_score), assignment.duedate
        recorded = cell_rows(book, name)
        found = []
        submissions = handed_in(book, name)
        for student in sorted(book.students, key=lambda s: s.id):
            common: dict[str, Any] = {
                "student": student.id,
                "first_name": student.first_name or "",
                "last_name": student.last_name or "",
                "email": student.email or "",
                "lms_id": student.lms_user_id or "",
                "max_score": most,
                "due": due,
            }
            if student.id not in submissions:
                found.append(StudentGrade(**common))
                continue
            timestamp, penalty = submissions[student.id]
            result = recorded_result(coursedir, name, student.id)
            rows = in_order(recorded.get(student.id, []), result)
            found.append(
                StudentGrade(
                    **common,
                    handed_in=True,
                    timestamp=timestamp,
                    raw_score=float(sum(row.points for row, _ in rows)),
                    penalty=penalty,
                    waiting=sum(waits for _, waits in rows),
                    cells=tuple(row for row, _ in rows),
                    reason=result.reason,
                    notes=result.notes,
                )
            )
    return found


def penalties(course_root: Path | str, name: str) -> dict[str, float]:
    """The points taken off for being late, by student; only those who lose some."""
    from nbgrader.api import Gradebook

    from course.grading.gradebook import course_directory

    coursedir, _ = course_directory(course_root)
    with Gradebook(coursedir.db_url, coursedir.course_id) as book:
        late = handed_in(book, name)
    return {student: points for student, (_, points) in late.items() if points > 0}


def handed_in(book: Any, name: str) -> dict[str, tuple[datetime | None, float]]:
    """By student, when the submission came in and what its lateness costs; one query for a class."""
    from nbgrader.api import Assignment, SubmittedAssignment

    columns = (SubmittedAssignment.timestamp, SubmittedAssignment.late_submission_penalty)
    rows = (
        book.db.query(SubmittedAssignment.student_id, *columns)
        .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
        .filter(Assignment.name == name)
    )
    return {student: (time, float(penalty or 0.0)) for student, time, penalty in rows}


def cell_rows(book: Any, name: str) -> dict[str, list[tuple[CellGrade, bool]]]:
    """Every graded cell by student, and whether it waits for a person; two queries for a class."""
    from nbgrader.api import (
        Assignment,
        BaseCell,
        Comment,
        Grade,
        SubmittedAssignment,
        SubmittedNotebook,
    )

    db = book.db
    said = {
        (notebook, cell): text
        for notebook, cell, text in db.query(
            Comment.notebook_id, BaseCell.name, Comment.manual_comment
        )
        .join(BaseCell, Comment.cell_id == BaseCell.id)
        .filter(Comment.manual_comment.isnot(None))
    }
    rows: dict[str, list[tuple[CellGrade, bool]]] = {}
    query = (
        db.query(
            SubmittedAssignment.student_id,
            Grade.notebook_id,
            BaseCell.name,
            Grade.score,
            Grade.max_score,
            Grade.manual_score,
            Grade.needs_manual_grade,
        )
        .join(SubmittedNotebook, Grade.notebook_id == SubmittedNotebook.id)
        .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
        .join(BaseCell, Grade.cell_id == BaseCell.id)
        .filter(Assignment.name == name)
    )
    for student, notebook, cell, score, most, by_hand, waits in query:
        comment = said.get((notebook, cell)) or said.get((notebook, cell.removeprefix("check-")))
        row = CellGrade(
            cell.removeprefix("check-"), float(score), float(most), "by hand", comment or ""
        )
        rows.setdefault(student, []).append((row, bool(waits) and by_hand is None))
    return rows


def in_order(rows: list[tuple[CellGrade, bool]], result: Result) -> list[tuple[CellGrade, bool]]:
    """The rows in the order of the notebook, with the reasons that grading gave."""
    places = {name: place for place, name in enumerate(result.outcomes)}
    done = []
    for row, waits in sorted(
        rows, key=lambda r: (places.get(r[0].exercise, len(places)), r[0].exercise)
    ):
        outcome = result.outcomes.get(row.exercise)
        if outcome is not None:
            message = "\n".join(filter(None, [row.message, outcome.message]))
            row = CellGrade(
                row.exercise,
                row.points,
                row.max_points,
                outcome.status if row.points == outcome.points else "by hand",
                message,
                outcome.misconception,
            )
        done.append((row, waits))
    return done
