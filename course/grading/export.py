"""`course export`: the grades of an assignment in the form that the office's program reads.

format      what it is for, and where its form is described
----------  ----------------------------------------------------------------------------------------
nbgrader    nbgrader's CSV, a row for each student (nbgrader documentation, "Exporting grades")
canvas      Canvas gradebook import (Canvas instructor guide, "How do I import grades in the
            Gradebook?", community.instructure.com/en/kb/articles/660862; where the guide is silent,
            the importer itself, `lib/gradebook_importer.rb` of instructure/canvas-lms)
moodle      Moodle's grade import from CSV (MoodleDocs, "Grade import",
            docs.moodle.org/en/Grade_import; where it is silent, the importer itself,
            `grade/import/csv/classes/load_data.php` of moodle/moodle)
gradescope  one results.json for each student, as an autograder leaves it (Gradescope, "Autograder
            Specifications", gradescope-autograders.readthedocs.io/en/latest/specs)
junit       JUnit XML: "Common JUnit XML Format" (github.com/testmoapp/junitxml) within the schema of
            Jenkins (`junit-10.xsd` of jenkinsci/xunit-plugin)

Every cell of a table that a spreadsheet could take for a formula is made plain text.
"""

from __future__ import annotations

import csv
import html
import io
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from course.grading.grades import StudentGrade, grades
from course.grading.machine_formats import Report, Suite, gradescope_results, junit_xml
from course.grading.report import number

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def plain_cell(value: Any) -> str:
    """A table cell that no spreadsheet takes for a formula; numbers stay numbers.

    Texts starting with = + - @ (also behind spaces, and in their full-width forms), a tab or a line
    break get an apostrophe in front (OWASP, "CSV injection").

    >>> plain_cell("=1+1"), plain_cell(" @A1"), plain_cell("Ada"), plain_cell(-2.5), plain_cell(None)
    ("'=1+1", "' @A1", 'Ada', '-2.5', '')
    """
    if value is None:
        return ""
    if isinstance(value, float):
        return number(value)
    text = str(value)
    risky = text.startswith(FORMULA) or text.strip().startswith(FORMULA)
    if isinstance(value, int) or not risky:
        return text
    return "'" + text


def table(rows: Iterable[Sequence[Any]]) -> str:
    """Rows as CSV (RFC 4180) without formulas."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    for row in rows:
        writer.writerow([plain_cell(value) for value in row])
    return text.getvalue()


def nbgrader_csv(name: str, students: list[StudentGrade]) -> str:
    """The columns of nbgrader's own export, for one assignment; nothing handed in is zero."""
    header = (
        "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email",
        "raw_score", "late_submission_penalty", "score", "max_score",
    )  # fmt: skip
    rows = [
        (
            name, s.due, s.timestamp, s.student, s.last_name, s.first_name, s.email,
            s.raw_score, s.penalty, s.score, s.max_score,
        )
        for s in students
    ]  # fmt: skip
    return table([header, *rows])


# Canvas takes a column with one of these in its title for one of its own, and drops it.
RESERVED = re.compile(
    "Current (Score|Points|Grade)|Final (Score|Points|Grade)|Override (Score|Grade|Status)"
)


def canvas_csv(title: str, students: list[StudentGrade]) -> str:
    """For Canvas: five columns that say who, in this order, the grades, and a row of possible points.

    title : of the assignment there.  With its number, 'Backprop (4711)', grades go to that
        assignment; a title that Canvas does not know makes a new one.

    People are found by ID (the gradebook's `lms_user_id`), else by SIS Login ID (the student's id),
    else by name.  Who handed nothing in is left out: an empty cell would empty the grade that is
    there.  Raises ValueError for a title that Canvas takes for a column of its own.
    """
    if RESERVED.search(title):
        raise ValueError(
            f"Canvas ignores a column with {RESERVED.search(title)[0]!r} in its title: {title!r}."  # type: ignore[index]
            " Give the assignment another title."
        )
    most = students[0].max_score if students else 0.0
    header = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section", title)
    possible = ("    Points Possible", "", "", "", "", most)
    rows = [
        (" ".join(s.name.split()), s.lms_id, "", s.student, "", s.score)
        for s in students
        if s.handed_in
    ]
    return table([header, possible, *rows])


def moodle_csv(title: str, students: list[StudentGrade]) -> str:
    """For Moodle: who, the grade and the feedback, under the names that Moodle's own export has.

    title : of the assignment there.

    People are found by the column that one maps: ID number (the student's id) or email address.
    Who handed nothing in is left out, as for Canvas.  The feedback is HTML there.  The addresses are left out unless everybody
    has one: Moodle gives a row whose mapped cell is empty to the student of the row before.
    """
    chosen = [s for s in students if s.handed_in]
    addresses = all(s.email for s in chosen)
    header = [
        "First name", "Last name", "ID number", *(["Email address"] if addresses else []),
        f"Assignment: {title} (Real)", f"Assignment: {title} (Feedback)",
    ]  # fmt: skip
    rows = [
        [
            s.first_name, s.last_name, s.student, *([s.email] if addresses else []),
            s.score, as_html(reasons(s)),
        ]
        for s in chosen
    ]  # fmt: skip
    return table([header, *rows])


def as_html(text: str) -> str:
    """Plain text for a field that is read as HTML; without the two marks that PHP's CSV reader can
    take for an escaped quote.

    >>> as_html('<class "int"> ' + chr(92) + 'n')
    '&lt;class &quot;int&quot;&gt; &#92;n'
    """
    return html.escape(text).replace("\\", "&#92;")


def reasons(grade: StudentGrade) -> str:
    """Why the points are what they are, a line for each exercise that lost some."""
    lines = [grade.reason] if grade.reason else []
    if not lines:
        lines = [
            f"{c.exercise}: {number(c.points)} of {number(c.max_points)}."
            f" {' '.join(c.message.split())}".rstrip()
            for c in grade.cells
            if c.points < c.max_points
        ] or ["Everything is right."]
    if grade.penalty:
        lines.append(f"Handed in late: {number(grade.penalty)} points taken off.")
    return "\n".join([*lines, *grade.notes])


def report_of(name: str, grade: StudentGrade) -> Report:
    """One student's grade as machines read it."""
    notes = list(grade.notes)
    if grade.penalty:
        notes.append(f"Handed in late: {number(grade.penalty)} points taken off.")
    return Report(
        assignment=name,
        cells=grade.cells,
        score=grade.score,
        reason=grade.reason,
        notes=tuple(notes),
    )


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        os.chmod(draft, 0o644)
        os.replace(draft, path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


TABLES: dict[str, Callable[[str, list[StudentGrade]], str]] = {
    "nbgrader": nbgrader_csv,
    "canvas": canvas_csv,
    "moodle": moodle_csv,
}
FORMATS = (*TABLES, "gradescope", "junit")


def export(
    course_root: Path | str, name: str, form: str, to: Path, title: str | None = None
) -> list[StudentGrade]:
    """Write the grades of an assignment; returns them.

    form : one of FORMATS.
    to : a file; for 'gradescope' a folder, which gets STUDENT/results.json.
    title : what the assignment is called in Canvas or Moodle; None for its name.

    Raises ValueError for an unknown format or a title that does not serve, LookupError if the gradebook does not know the
    assignment or nobody handed it in, OSError if `to` cannot be written.
    """
    if form not in FORMATS:
        raise ValueError(f"There is no format {form!r}. There are: {', '.join(FORMATS)}.")
    students = grades(course_root, name)
    handed_in = [s for s in students if s.handed_in]
    if not handed_in:
        raise LookupError(
            f"The gradebook has no submission of {name}: grade it first (course grade {name})."
        )
    if title and form not in ("canvas", "moodle"):
        raise ValueError(
            f"A title is for Canvas and Moodle; {form} knows the assignment by its name."
        )
    if form in TABLES:
        write_text(to, TABLES[form](title or name, students))
    elif form == "junit":
        suites = [Suite(s.student, report_of(name, s)) for s in handed_in]
        write_text(to, junit_xml(name, suites))
    else:
        for s in handed_in:
            results = json.dumps(gradescope_results(report_of(name, s)), indent=1)
            write_text(to / s.student / "results.json", results)
    return students
