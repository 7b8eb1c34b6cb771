"""Safe grading in the places where nbgrader grades.

A few lines in a course's `nbgrader_config.py` are enough:

    c = get_config()
    try:
        from course.grading.autograde import configure

        configure(c)
    except Exception as error:  # nbgrader would go on with its own settings
        raise SystemExit(f"nbgrader_config.py: {error}") from error

After them assignments lie in `solutions/` and, released, in `assignments/`; `nbgrader autograde`,
the formgrader's button, `nbgrader generate_feedback` and `nbgrader export` work as ever, and no
student's code runs outside the sandbox:

- `GradeInSandbox` stands where nbgrader's `Execute` stands;
- `SaveGrades` stands where `SaveAutoGrades` stands: points come from our results, never from outputs;
- `FeedbackPage`, `safe_markdown` and our template make the pages; `CsvExport` the table.

Where nbgrader has no setting (it opens a student's file before any preprocessor runs, copies what
links point at, and leaves the batch on a bad time stamp), `install` puts `SandboxedAutograde` in the
place of its `Autograde`, for the command and for the formgrader, and three small functions beside
it.  That is the only seam.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import shutil
import stat
from dataclasses import asdict
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import nbformat
import nbgrader.api
from nbgrader.api import (
    Assignment,
    Grade,
    Gradebook,
    GradeCell,
    Notebook,
    SourceCell,
    SubmittedNotebook,
)
from nbgrader.converters import Autograde, NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor, SaveAutoGrades
from nbgrader.utils import compute_checksum, determine_grade, is_solution, is_task, parse_utc
from sqlalchemy import select, update
from traitlets import Unicode

from course.grading import database, session
from course.grading.feedback import TEMPLATES, complete, read_result, write_result
from course.grading.results import Cell, Result
from course.grading.session import one_gradebook, open_gradebook, recorded, together
from course.grading.template import Rebuilt, Unreadable, clean, read_bytes, rebuild, unreadable
from course.grading.warm import GradedExporter, create_engine

MAX_EXTRA_BYTES = 20_000_000  # of one further file that a student handed in

_graders: dict[tuple[str, str, str, str], Any] = {}


def configure(c: Any) -> None:
    """Set nbgrader up for safe grading; `c` is what `get_config()` gives."""
    here = "course.grading"
    c.CourseDirectory.source_directory = "solutions"
    c.CourseDirectory.release_directory = "assignments"
    c.Autograde.sanitize_preprocessors = []
    c.Autograde.autograde_preprocessors = [
        f"{here}.autograde.GradeInSandbox",
        f"{here}.autograde.SaveGrades",
        "nbgrader.preprocessors.AssignLatePenalties",
    ]  # no CheckCellMetadata: the metadata of a rebuilt notebook are ours
    c.GenerateFeedback.exporter_class = f"{here}.warm.FeedbackExporter"
    c.GenerateFeedback.preprocessors = [f"{here}.feedback.FeedbackPage"]
    formgrader = Path(nbgrader.__file__).parent / "server_extensions" / "formgrader" / "templates"
    c.HTMLExporter.extra_template_basedirs = [str(TEMPLATES), str(formgrader)]
    c.HTMLExporter.filters = {"markdown2html": f"{here}.feedback.safe_markdown"}
    c.ExportApp.plugin_class = f"{here}.gradebook.CsvExport"
    # Never copied to where students see it, by whatever step of nbgrader.
    c.CourseDirectory.ignore = [
        ".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback", "misconceptions.py",
    ]  # fmt: skip
    install()


def install() -> None:
    """Put `SandboxedAutograde` where nbgrader's command and its formgrader look for `Autograde`."""
    from nbgrader.apps import api, autogradeapp

    api.Autograde = autogradeapp.Autograde = SandboxedAutograde
    # A bad time stamp stops nbgrader's batch and empties the formgrader's list of submissions.
    CourseDirectory.get_existing_timestamp = lambda self, folder: read_timestamp(folder)
    api.NbGraderAPI.get_submitted_timestamp = submitted_timestamp
    nbgrader.api.get_alembic_version = database_version
    nbgrader.api.create_engine = create_engine
    session.install()
    database.install()


def submitted_timestamp(self: Any, assignment_id: str, student_id: str) -> datetime | None:
    """For nbgrader's API: when a student handed in, None if that cannot be read."""
    coursedir = self.coursedir
    folder = coursedir.format_path(coursedir.submitted_directory, student_id, assignment_id)
    return read_timestamp(folder)


def database_version() -> str:
    """The version of nbgrader's tables.

    nbgrader asks a program `alembic`, which is not found when the environment is not activated.
    """
    from alembic.script import ScriptDirectory

    return str(ScriptDirectory(str(Path(nbgrader.__file__).parent / "alembic")).get_current_head())


def read_timestamp(folder: Path | str) -> datetime | None:
    """The time in a submission's `timestamp.txt`; None if there is none that can be read."""
    try:
        return parse_utc(read_bytes(Path(folder) / "timestamp.txt", 1000).decode().strip())
    except Exception:  # dateutil raises what it likes on what students write
        return None


def grader_for(course_root: Path | str, name: str, sandbox: str = "auto") -> Any:
    """The grader of an assignment; made anew only when its solution has changed."""
    from course.grading.grader import Grader

    folder = Path(course_root) / "solutions" / name
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            digest.update(f"{file} {file.stat().st_mtime_ns} {file.stat().st_size};".encode())
    key = (str(folder), name, sandbox, digest.hexdigest())
    if key not in _graders:
        _graders.clear()  # one class at a time
        _graders[key] = Grader(course_root, name, sandbox=sandbox, keep=True)
    return _graders[key]


class GradeInSandbox(NbGraderPreprocessor):
    """Grades the cells that `SandboxedAutograde` took from a submission, and writes the outcomes."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        job = resources["course"]
        result = Result(reason=job["reason"])
        if job["reason"] is None:
            grader = grader_for(job["root"], resources["nbgrader"]["assignment"], job["sandbox"])
            result = grader.grade([Cell(**cell) for cell in job["cells"]])
        notes = tuple(dict.fromkeys((*job["notes"], *result.notes)))
        result = complete(Result(result.outcomes, result.reason, notes), nb)
        write_result(nb, result)
        return nb, resources


class SaveGrades(SaveAutoGrades):
    """Records the points of the result in the gradebook; points given by hand stay."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        result = read_result(nb)
        if result is None:
            raise NbGraderException("This notebook was not graded by course.grading.")
        self.result, job = result, resources["nbgrader"]
        with open_gradebook(job["db_url"]) as gradebook:
            self.grades, self.comments = recorded(gradebook, job)
            for index, cell in enumerate(nb.cells):
                self.preprocess_cell(cell, resources, index)
            gradebook.db.commit()  # all of a submission's grades, or none
        return nb, resources

    def _add_score(self, cell: Any, resources: Any) -> None:
        marks = cell.metadata["nbgrader"]
        grade = self.grades[marks["grade_id"]]
        if is_solution(cell):  # graded by hand; untouched: zero
            grade.auto_score = determine_grade(cell, self.log)[0]
        else:
            outcome = self.result.outcomes[marks["grade_id"].removeprefix("check-")]
            grade.auto_score = min(max(outcome.points, 0.0), grade.max_score)
        grade.needs_manual_grade = grade.manual_score is not None or grade.auto_score is None

    def _add_comment(self, cell: Any, resources: Any) -> None:
        marks = cell.metadata["nbgrader"]
        comment = self.comments[marks["grade_id"]]
        untouched = marks.get("checksum") == compute_checksum(cell) and not is_task(cell)
        comment.auto_comment = "No response." if untouched else None


class SandboxedAutograde(Autograde):
    """nbgrader's autograder, over notebooks rebuilt from the released one.

    A submission is a folder `submitted/STUDENT/NAME`, whatever is in it: one without a readable
    notebook is graded too, with zero and the reason.
    """

    exporter_class = GradedExporter
    sandbox = Unicode("auto", help="'auto', 'bubblewrap', 'sandlock', or 'none'").tag(config=True)

    def start(self) -> None:
        with one_gradebook(self.coursedir.db_url):
            self.prepare()
            super().start()

    def prepare(self) -> None:
        """What all submissions of the assignment share.  Raises NbGraderException."""
        name = self.coursedir.assignment_id
        try:
            if glob.escape(name) != name or not name:
                raise ValueError("Name one assignment; patterns are not supported.")
            self.released = released_notebooks(self.coursedir, name)
            record_assignment(self.coursedir, name, self.released)
            grader_for(self.coursedir.root, name, self.sandbox)
        except Exception as error:
            message = " ".join(str(error).split()) or type(error).__name__
            self.log.error("Nothing was graded. %s", message)
            raise NbGraderException(message) from error

    def init_notebooks(self) -> None:
        """Every folder of a student counts, also one without a notebook."""
        self.assignments = {}
        names = [name for name in self.released if fnmatchcase(name, self.coursedir.notebook_id)]
        pattern = self._format_source(self.coursedir.assignment_id, self.coursedir.student_id)
        for folder in sorted(glob.glob(pattern)):
            student = Path(folder).parent.name
            if not student.isprintable():
                self.log.warning("Skipped: the name of the folder %r is not printable", student)
            elif os.path.isdir(folder):
                self.assignments[folder] = [os.path.join(folder, f"{n}.ipynb") for n in names]
        if not self.assignments or not names:
            message = f"There are no submissions in {pattern}."
            self.log.error(message)
            raise NbGraderException(message)

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        """Record the submission; copy nothing but its plain, small files."""
        source = Path(self._format_source(assignment_id, student_id))
        book = open_gradebook(self.coursedir.db_url, self.coursedir.course_id)
        with book as gradebook, together(gradebook):
            if not self.create_student:
                gradebook.find_student(student_id)
            gradebook.update_or_create_student(student_id)
            submission = gradebook.update_or_create_submission(
                assignment_id, student_id, timestamp=read_timestamp(source)
            )
            # Zero first: whatever happens from here on, no old points survive.
            stems = [Path(path).stem for path in self.notebooks]
            of_student = (
                select(SubmittedNotebook.id)
                .join(Notebook)
                .where(SubmittedNotebook.assignment_id == submission.id, Notebook.name.in_(stems))
            )
            zero = update(Grade).where(Grade.notebook_id.in_(of_student))
            gradebook.db.execute(
                zero.values(auto_score=0.0, needs_manual_grade=False),
                execution_options={"synchronize_session": False},
            )
            gradebook.db.commit()
        if not linked(source):
            copy_plain_files(source, Path(self._format_dest(assignment_id, student_id)), self.log)

    def convert_single_notebook(self, notebook_filename: str) -> None:
        """Rebuild, grade, record and write one notebook, in one go."""
        self.log.info("Grading %s", notebook_filename)
        resources = self.init_single_notebook_resources(notebook_filename)
        rebuilt = self.rebuild(Path(notebook_filename))
        resources["course"] = {
            "root": self.coursedir.root,
            "sandbox": self.sandbox,
            "cells": [asdict(cell) for cell in rebuilt.cells],
            "notes": rebuilt.notes,
            "reason": rebuilt.reason,
        }
        notebook = nbformat.from_dict(rebuilt.notebook)
        self.exporter._preprocessors = []
        for preprocessor in (*self.sanitize_preprocessors, *self.autograde_preprocessors):
            self.exporter.register_preprocessor(preprocessor)
        book = open_gradebook(self.coursedir.db_url, self.coursedir.course_id)
        with book, together(book):
            output, resources = self.exporter.from_notebook_node(notebook, resources)
        self.write_single_notebook(output, resources)

    def rebuild(self, path: Path) -> Rebuilt:
        """The submission in the released notebook's form, or the reason why it has none."""
        released = self.released[path.stem]
        note: tuple[str, ...] = ()
        try:
            if linked(path.parent):
                raise Unreadable("The submission is a link to another folder.")
            others = [p for p in path.parent.glob("*.ipynb") if not p.name.startswith(".")]
            if not os.path.lexists(path) and len(self.released) == len(others) == 1:
                note = (
                    f"The notebook should be called {path.name}; the only one there was taken.",
                )
                path = others[0]
            raw = read_bytes(path)
        except Unreadable as problem:
            return unreadable(released, str(problem))
        rebuilt = rebuild(released, raw)
        return Rebuilt(rebuilt.notebook, rebuilt.cells, note + rebuilt.notes, rebuilt.reason)


def linked(folder: Path) -> bool:
    """Whether a submission's folder, or its student's, is a symbolic link."""
    return folder.is_symlink() or folder.parent.is_symlink()


def copy_plain_files(source: Path, target: Path, log: Any) -> None:
    """Copy what a student handed in beside the notebook: regular files only, none that is huge.

    Links could point at other students' work, a pipe would never end; both stay behind.
    """
    for folder, _, files in os.walk(source):  # does not follow links
        for name in files:
            file = Path(folder) / name
            if name.endswith(".ipynb") or ".ipynb_checkpoints" in file.parts:
                continue
            found = file.lstat()
            if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_EXTRA_BYTES:
                log.warning("Not copied (no plain file, or too large): %s", file)
                continue
            copy = target / file.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy, follow_symlinks=False)


def released_notebooks(coursedir: CourseDirectory, name: str) -> dict[str, dict[str, Any]]:
    """The released notebooks of an assignment by name: what submissions are rebuilt from."""
    folder = Path(coursedir.format_path(coursedir.release_directory, ".", name))
    found = {
        file.stem: clean(json.loads(file.read_text(encoding="utf-8")))
        for file in sorted(folder.glob("*.ipynb"))
    }
    if not found:
        raise FileNotFoundError(
            f"{folder} holds no released notebook. Release the assignment first:"
            f" course release {name}"
        )
    return found


def cells_known(
    gradebook: Gradebook, notebook_id: str, name: str
) -> tuple[set[tuple[str, float]], set[str]]:
    """What the gradebook knows of a notebook: its graded cells with their points, and its cells."""

    def of_notebook(*columns: Any) -> Any:
        rows = gradebook.db.query(*columns).join(Notebook).join(Assignment)
        return rows.filter(Notebook.name == notebook_id, Assignment.name == name)

    graded = of_notebook(GradeCell.name, GradeCell.max_score)
    return set(map(tuple, graded)), {row.name for row in of_notebook(SourceCell.name)}


def record_assignment(
    coursedir: CourseDirectory, name: str, released: dict[str, dict[str, Any]]
) -> None:
    """Make sure the gradebook knows the assignment as it was released.

    After a fresh clone there is no gradebook; this makes it, as generating the assignment would.
    """
    from nbgrader.api import MissingEntry
    from nbgrader.preprocessors import SaveCells

    known = {}
    with open_gradebook(coursedir.db_url, coursedir.course_id) as gradebook:
        try:
            gradebook.find_assignment(name)
        except MissingEntry:
            gradebook.add_assignment(name)
        for notebook_id in released:
            known[notebook_id] = cells_known(gradebook, notebook_id, name)
    for notebook_id, notebook in released.items():
        marks = [cell["metadata"].get("nbgrader", {}) for cell in notebook["cells"]]
        ours = {(m["grade_id"], float(m["points"])) for m in marks if m.get("grade")}
        theirs, sources = known[notebook_id]
        if theirs != ours or sources != {m["grade_id"] for m in marks if m.get("grade_id")}:
            resources = {
                "nbgrader": {
                    "notebook": notebook_id, "assignment": name, "db_url": coursedir.db_url,
                }
            }  # fmt: skip
            SaveCells().preprocess(nbformat.from_dict(notebook), resources)
