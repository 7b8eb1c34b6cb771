"""Grading a class through nbgrader, from Python.

`grade_class` is what `course grade` and `course demo` call: nbgrader's own autograde and feedback
steps, with the safe parts of `autograde.py` in them, one submission at a time.  A submission is one
task (`grade_one`), a plain function of plain arguments, so any `concurrent.futures` executor of
*processes* can run them; never threads, nbgrader changes the working directory.
"""

from __future__ import annotations

import csv
import glob
import io
import json
import logging
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters import GenerateFeedback, NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins import ExportPlugin
from sqlalchemy.exc import SAWarning, SQLAlchemyError
from traitlets import Unicode
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from course.grading.autograde import (
    SandboxedAutograde,
    configure,
    grader_for,
    record_assignment,
    released_notebooks,
)
from course.grading.database import index, stop_if_nothing_can_be_written
from course.grading.export import plain_cell
from course.grading.feedback import complete, read_result
from course.grading.pool import Processes, each
from course.grading.results import GradingRefused, Result
from course.grading.session import one_gradebook, open_gradebook
from course.grading.template import Rebuilt, unreadable

# How many are done, of how many, whose was the last, and how it went.
Progress = Callable[[int, int, str, Result], None]


# nbgrader's remarks on single submissions; set its level or add a handler to read them.
LOG = logging.getLogger("course.grading.nbgrader")
LOG.addHandler(logging.NullHandler())
LOG.propagate = False


def course_directory(course_root: Path | str) -> tuple[CourseDirectory, Config]:
    """nbgrader's view of a course, by its `nbgrader_config.py` (by ours if it has none)."""
    root = Path(course_root).resolve()
    config = Config()
    configure(config)
    if (root / "nbgrader_config.py").is_file():
        config.merge(PyFileConfigLoader("nbgrader_config.py", path=str(root)).load_config())
    config.CourseDirectory.root = str(root)
    return CourseDirectory(config=config, log=LOG), config


def submitted_students(course_root: Path | str, name: str) -> list[str]:
    """The students who handed something in for an assignment, in order."""
    coursedir, _ = course_directory(course_root)
    folder = coursedir.format_path(coursedir.submitted_directory, "*", glob.escape(name))
    return sorted(p.parent.name for p in map(Path, glob.glob(folder)) if p.is_dir())


def grade_class(
    course_root: Path | str,
    name: str,
    students: Sequence[str] | None = None,
    progress: Progress | None = None,
    *,
    sandbox: str = "auto",
    executor: Executor | None = None,
) -> dict[str, Result]:
    """Grade submissions, record their points in the gradebook, write their feedback pages.

    course_root : folder with `solutions/`, `assignments/` and `submitted/`.
    students : who; None for all that handed something in.
    progress : called after each submission with (done, total, student, result).
    executor : runs the submissions in processes; None grades them here, one after the other.

    Returns each student's result.  Raises GradingRefused if nothing can be graded at all: no
    sandbox, no released assignment, no submission.
    """
    there = submitted_students(course_root, name)
    chosen = there if students is None else list(dict.fromkeys(students))
    unknown = [student for student in chosen if student not in there]
    if unknown or not chosen:
        raise GradingRefused(
            f"There is no submission of {name}"
            + (
                f" by {', '.join(unknown)}."
                if unknown
                else f": submitted/STUDENT/{name}/ is missing."
            )
        )
    prepare(course_root, name, sandbox)
    results: dict[str, Result] = {}
    for student, result in graded(course_root, name, chosen, sandbox, executor):
        results[student] = result
        if progress is not None:
            progress(len(results), len(chosen), student, result)
    return {student: results[student] for student in chosen}


def local_executor(jobs: int | None = None) -> Executor:
    """Processes on this machine, one for each core, to grade a class in."""
    return Processes(jobs)


def prepare(course_root: Path | str, name: str, sandbox: str = "auto") -> None:
    """What a whole class shares: the gradebook's entry, the solution's values, a sandbox."""
    coursedir, _ = course_directory(course_root)
    try:
        record_assignment(coursedir, name, released_notebooks(coursedir, name))
        with open_gradebook(coursedir.db_url, coursedir.course_id) as gradebook:
            index(gradebook)
        grader_for(coursedir.root, name, sandbox)
    except Exception as error:
        stop_if_nothing_can_be_written("", error)
        raise GradingRefused(" ".join(str(error).split()) or type(error).__name__) from error


def graded(
    course_root: Path | str, name: str, students: list[str], sandbox: str, executor: Executor | None
) -> Iterator[tuple[str, Result]]:
    """Results in the order in which they come."""
    task = partial(grade_one, str(course_root), name, sandbox=sandbox)
    if executor is None:
        for student in students:
            yield student, task(student)
        return

    def give_up(student: str, reason: str) -> Result:
        return grade_one(str(course_root), name, student, sandbox, failed=reason)

    yield from each(executor, task, students, give_up)


def grade_one(
    course_root: str, name: str, student: str, sandbox: str = "auto", failed: str | None = None
) -> Result:
    """Grade one submission through nbgrader and write its feedback page.

    failed : what became of earlier tries; the student's code is not run again, and this is recorded.

    If the grader itself fails, the result says so (its reason starts with 'The grader failed'), the
    gradebook holds zero, and the class goes on.  Raises GradingRefused if nothing can be written.
    """
    coursedir, config = course_directory(course_root)
    coursedir.assignment_id = name
    coursedir.student_id = glob.escape(student)
    common: dict[str, Any] = {"coursedir": coursedir, "config": config, "log": LOG}
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    handler.setLevel(logging.ERROR)
    LOG.addHandler(handler)
    try:
        with warnings.catch_warnings(), one_gradebook(coursedir.db_url):
            warnings.simplefilter("ignore", SAWarning)  # of nbgrader's own queries
            if failed is None:
                SandboxedAutograde(force=True, sandbox=sandbox, **common).start()
            else:
                reason = f"The grader failed on this submission. {failed}".strip()
                Ungraded(force=True, sandbox=sandbox, reason=reason, **common).start()
            result = recorded_result(coursedir, name, student)
            GenerateFeedback(force=True, **common).start()
        return result
    except NbGraderException as error:
        stop_if_nothing_can_be_written(said.getvalue(), error)
        causes = [x for x in said.getvalue().splitlines() if re.match(r"[\w.]*(Error|Exc)\w*", x)]
        cause = "".join(causes[-1:])
        if failed is None:  # once more, so that gradebook and feedback say so
            return grade_one(course_root, name, student, sandbox, failed=cause)
        for page in feedback_pages(course_root, name, student):
            page.unlink()  # one of an earlier time would mislead
        reason = f"The grader failed on this submission. {cause}".strip()
        return nothing_graded(released_notebooks(coursedir, name).values(), reason)
    except SQLAlchemyError as error:
        stop_if_nothing_can_be_written(said.getvalue(), error)
        raise
    finally:
        LOG.removeHandler(handler)


class Ungraded(SandboxedAutograde):
    """Records zero and a reason, without a look at what the student wrote."""

    reason = Unicode()

    def rebuild(self, path: Path) -> Rebuilt:
        return unreadable(self.released[path.stem], self.reason)


def nothing_graded(notebooks: Iterable[dict[str, Any]], reason: str) -> Result:
    """Zero for every exercise of an assignment, with a reason."""
    results = [complete(Result(reason=reason), notebook) for notebook in notebooks]
    return Result({k: o for result in results for k, o in result.outcomes.items()}, reason)


def recorded_result(coursedir: CourseDirectory, name: str, student: str) -> Result:
    """The result in a student's graded notebooks (all of them, if there are several)."""
    folder = Path(coursedir.format_path(coursedir.autograded_directory, student, name))
    found = [
        result
        for file in sorted(folder.glob("*.ipynb"))
        if (result := read_result(json.loads(file.read_text(encoding="utf-8")))) is not None
    ]
    outcomes = {k: outcome for result in found for k, outcome in result.outcomes.items()}
    reasons = [result.reason for result in found if result.reason]
    notes = tuple(note for result in found for note in result.notes)
    return Result(outcomes, " ".join(reasons) or None, notes)


def feedback_pages(course_root: Path | str, name: str, student: str) -> list[Path]:
    """The feedback pages of one student."""
    coursedir, _ = course_directory(course_root)
    folder = Path(coursedir.format_path(coursedir.feedback_directory, student, name))
    return sorted(folder.glob("*.html"))


class CsvExport(ExportPlugin):
    """nbgrader's CSV export, with the same columns, quoted properly and without formulas."""

    columns = (
        "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email",
        "raw_score", "late_submission_penalty", "score", "max_score",
    )  # fmt: skip

    def export(self, gradebook: Gradebook) -> None:
        target = Path(self.to or "grades.csv")
        self.log.info("Exporting grades to %s", target)
        with target.open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(self.columns)
            for row in self.rows(gradebook):
                cells = [row[column] for column in self.columns]
                # Points keep all their digits here.
                table.writerow([str(c) if isinstance(c, float) else plain_cell(c) for c in cells])

    def rows(self, gradebook: Gradebook) -> Iterable[dict[str, Any]]:
        """One row for each assignment and student, in the gradebook's order."""
        assignments = {str(a) for a in self.assignment}
        students = {str(s) for s in self.student}
        for assignment in gradebook.assignments:
            if assignments and assignment.name not in assignments:
                continue
            for student in gradebook.students:
                if students and student.id not in students:
                    continue
                row = {
                    "assignment": assignment.name,
                    "duedate": assignment.duedate,
                    "timestamp": None,
                    "student_id": student.id,
                    "last_name": student.last_name,
                    "first_name": student.first_name,
                    "email": student.email,
                    "raw_score": 0.0,
                    "late_submission_penalty": 0.0,
                    "score": 0.0,
                    "max_score": assignment.max_score,
                }
                try:
                    submission = gradebook.find_submission(assignment.name, student.id)
                except MissingEntry:
                    pass  # nothing handed in: zero
                else:
                    penalty = submission.late_submission_penalty or 0.0
                    row |= {
                        "timestamp": submission.timestamp,
                        "raw_score": submission.score,
                        "late_submission_penalty": penalty,
                        "score": max(0.0, submission.score - penalty),
                    }
                yield row
