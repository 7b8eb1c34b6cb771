"""nbgrader's database under a whole class: a server as well as a file, and thousands of students.

What `install` mends in nbgrader:

- a course without an id is written down as one; PostgreSQL refuses assignments of a course that is
  not there, which SQLite does not look at;
- the columns by which a submission's own rows are found are indexed.  Without that each submission
  reads the rows of all others: recording one took half as long again in a class of 10,000 as in a
  class of 30, and four times as long in one of 100,000; now it takes the same in all of them.
"""

from __future__ import annotations

import re
from typing import Any

from nbgrader.api import (
    Comment,
    Course,
    Grade,
    Gradebook,
    SubmittedAssignment,
    SubmittedNotebook,
)
from sqlalchemy import Index
from sqlalchemy.exc import IntegrityError, OperationalError

from course.grading.results import GradingRefused

INDEXES = (
    Index("course_grade_by_notebook", Grade.notebook_id),
    Index("course_comment_by_notebook", Comment.notebook_id),
    Index("course_notebook_by_submission", SubmittedNotebook.assignment_id),
    Index("course_submission_by_student", SubmittedAssignment.student_id),
)
CANNOT_WRITE = {
    "database is locked": "The gradebook is in use: another program has been writing to it for too"
    " long. Close it (another course grade, a database browser)",
    "database or disk is full": "The disk is full. Make room",
    "No space left on device": "The disk is full. Make room",
    "Disk quota exceeded": "Your share of the disk is full. Make room",
    "readonly database": "The gradebook cannot be written to. Change its permissions",
    "Read-only file system": "The disk cannot be written to. Make it writable",
    "(psycopg": "The gradebook's server does not answer: {0}. Start it, or mend"
    " c.CourseDirectory.db_url in nbgrader_config.py,",
}
_check_course = Gradebook.check_course


def install() -> None:
    """Let every gradebook that nbgrader opens have its course."""
    Gradebook.check_course = check_course


def check_course(self: Any, course_id: str = "default_course", **more: Any) -> Any:
    """nbgrader's `check_course`, which makes a course of every id but the empty one."""
    if not course_id and self.db.get(Course, course_id) is None:
        self.db.add(Course(id=course_id))
        try:
            self.db.commit()
        except IntegrityError:  # another process was quicker
            self.db.rollback()
    return _check_course(self, course_id, **more)


def index(gradebook: Gradebook) -> None:
    """Index the tables of a gradebook that was made without."""
    with gradebook.engine.begin() as connection:
        for one in INDEXES:
            one.create(connection, checkfirst=True)


def stop_if_nothing_can_be_written(said: str, error: BaseException | None = None) -> None:
    """Raise GradingRefused if this tells of a machine on which nobody can be graded.

    said : nbgrader's messages of errors; error : what was raised.
    """
    errors = re.findall(r"(?m)^(?:OSError|sqlite3\.|sqlalchemy\.exc\.OperationalError).*", said)
    while error is not None:
        if isinstance(error, OSError | OperationalError):
            errors.append(f"{type(error).__module__}.{type(error).__name__}: {error}")
        error = error.__cause__
    for words, message in CANNOT_WRITE.items():
        for line in errors:
            if words in line:
                raise GradingRefused(
                    f"{message.format(first_sentence(line))} and run the same command again: what"
                    " was graded is kept, and only what is missing is run."
                )


def first_sentence(error: str) -> str:
    """What a database's driver says, without the names of exceptions.

    >>> first_sentence("sqlalchemy.exc.OperationalError: (psycopg.OperationalError) gone\\nIs it up?")
    'gone'
    """
    first = (error.splitlines() or [""])[0]
    return (first.partition(") ")[2] or first).strip().rstrip(".")
