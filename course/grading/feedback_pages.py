"""`course feedback`: write the feedback pages of an assignment again, as the gradebook stands now.

For marks and comments given by hand after grading, and for penalties that were changed.
"""

from __future__ import annotations

import glob
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path


def write_feedback(
    course_root: Path | str,
    name: str,
    students: Sequence[str] | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> list[Path]:
    """Write the pages of everybody who was graded (or of `students`); returns them.

    Raises GradingRefused if somebody was not graded yet, or a page cannot be made.
    """
    from nbgrader.converters import GenerateFeedback, NbGraderException
    from sqlalchemy.exc import SAWarning

    from course.grading.gradebook import LOG, GradingRefused, course_directory, feedback_pages

    coursedir, config = course_directory(course_root)
    folders = glob.glob(
        coursedir.format_path(coursedir.autograded_directory, "*", glob.escape(name))
    )
    there = sorted(p.parent.name for p in map(Path, folders) if any(p.glob("*.ipynb")))
    chosen = there if students is None else list(dict.fromkeys(students))
    unknown = [student for student in chosen if student not in there]
    if unknown or not chosen:
        who = f" of {', '.join(unknown)}" if unknown else ""
        raise GradingRefused(
            f"No submission{who} of {name} was graded yet: run course grade {name}."
        )
    pages = []
    for done, student in enumerate(chosen, 1):
        coursedir, config = course_directory(course_root)
        coursedir.assignment_id, coursedir.student_id = name, glob.escape(student)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SAWarning)  # of nbgrader's own queries
                GenerateFeedback(coursedir=coursedir, config=config, log=LOG, force=True).start()
        except NbGraderException as error:
            raise GradingRefused(
                f"The feedback of {student} could not be written: {error}"
            ) from error
        pages += feedback_pages(course_root, name, student)
        if progress is not None:
            progress(done, len(chosen), student)
    return pages
