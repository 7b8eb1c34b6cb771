"""The result that a submission would get now; nothing is written but when it came in."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from nbgrader.coursedir import CourseDirectory

from course.grading import autograde
from course.grading.attempts import Standing, receive, standing
from course.grading.autograde import SandboxedAutograde, released_notebooks
from course.grading.feedback import complete
from course.grading.gradebook import LOG, course_directory
from course.grading.results import Result
from course.grading.template import Rebuilt


def graded_attempt(
    coursedir: CourseDirectory, config: Any, name: str, stem: str, folder: Path, sandbox: str
) -> tuple[Rebuilt, Result]:
    """Rebuild and grade one notebook of a folder, exactly as nbgrader's step does."""
    converter = SandboxedAutograde(coursedir=coursedir, config=config, log=LOG)
    converter.released = released_notebooks(coursedir, name)
    rebuilt = converter.rebuild(folder / f"{stem}.ipynb")
    result = Result(reason=rebuilt.reason)
    if rebuilt.reason is None:
        result = autograde.grader_for(coursedir.root, name, sandbox).grade(list(rebuilt.cells))
    notes = tuple(dict.fromkeys((*rebuilt.notes, *result.notes)))
    return rebuilt, complete(Result(result.outcomes, result.reason, notes), rebuilt.notebook)


def fresh_result(course_root: Path | str, name: str, student: str, sandbox: str = "auto") -> Result:
    """Grade what lies in a student's folder; where the best submission counts, that one.

    Raises whatever the grader itself fails with; a bad submission is a result with a reason.
    """
    coursedir, config = course_directory(course_root)
    folder = Path(coursedir.format_path(coursedir.submitted_directory, student, name))
    attempt = receive(coursedir, name, student)
    outcomes: dict[str, Any] = {}
    reasons: list[str] = []
    notes: list[str] = []
    for stem in released_notebooks(coursedir, name):

        def again(folder: Path, stem: str = stem) -> tuple[Rebuilt, Result]:
            return graded_attempt(coursedir, copy.deepcopy(config), name, stem, folder, sandbox)

        rebuilt, result = again(folder)
        now = Standing(attempt, rebuilt.notebook, result)
        result = standing(coursedir, config, name, student, now, again).result
        outcomes |= result.outcomes
        reasons += [result.reason] if result.reason else []
        notes += result.notes
    return Result(outcomes, " ".join(reasons) or None, tuple(notes))
