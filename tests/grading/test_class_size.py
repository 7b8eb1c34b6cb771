"""What one submission costs does not grow with the class."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from nbgrader.api import Gradebook
from tiny_course import NAME, hand_in, released, solved

from course.grading.database import INDEXES
from course.grading.export import export
from course.grading.gradebook import course_directory, grade_class, grade_one, prepare
from course.grading.grades import penalties

pytestmark = [
    pytest.mark.usefixtures("trusting"),
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),
]
GROW = ("student", "submitted_assignment", "submitted_notebook", "grade", "comment")
SCAN = re.compile(rf"SCAN ({'|'.join(GROW)})(_\d+)?\b")  # SEARCH goes by an index


def statements_of(work: Callable[[], Any]) -> list[tuple[str, Any]]:
    """The statements that a piece of work sends to any database."""
    said = []

    def note(connection: Any, cursor: Any, statement: str, values: Any, *_: Any) -> None:
        said.append((statement, values))

    sqlalchemy.event.listen(sqlalchemy.Engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        sqlalchemy.event.remove(sqlalchemy.Engine, "before_cursor_execute", note)
    return said


def scans(root: Path, said: list[tuple[str, Any]]) -> set[str]:
    """The steps of these statements that read a whole table that grows with the class."""
    found = set()
    with Gradebook(course_directory(root)[0].db_url) as book, book.engine.connect() as connection:
        for statement, values in said:
            if statement.lstrip().split()[0] not in ("SELECT", "UPDATE", "DELETE"):
                continue
            one = values[0] if isinstance(values, list) else values
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", one)
            found |= {row.detail for row in plan if SCAN.search(row.detail)}
    return found


def test_no_step_of_grading_reads_the_rows_of_the_whole_class(tiny: Path) -> None:
    for student in ("ada", "bob"):
        hand_in(tiny, student, solved(released(tiny)))
    grade_class(tiny, NAME, ["ada"])
    for student in ("ada", "bob"):  # again, and for the first time
        said = statements_of(lambda s=student: grade_one(str(tiny), NAME, s))
        assert any("UPDATE grade" in statement for statement, _ in said)
        assert scans(tiny, said) == set()


def test_a_gradebook_made_by_stock_nbgrader_is_indexed_when_it_is_used(tiny: Path) -> None:
    hand_in(tiny, "ada", solved(released(tiny)))
    prepare(tiny, NAME)
    with Gradebook(course_directory(tiny)[0].db_url) as book:
        for one in INDEXES:
            one.drop(book.engine)
    bare = scans(tiny, statements_of(lambda: grade_one(str(tiny), NAME, "ada")))
    assert any(step.startswith("SCAN grade") for step in bare)
    grade_class(tiny, NAME)
    assert scans(tiny, statements_of(lambda: grade_one(str(tiny), NAME, "ada"))) == set()


def test_the_number_of_statements_for_a_submission_does_not_depend_on_the_others(
    tiny: Path,
) -> None:
    hand_in(tiny, "ada", solved(released(tiny)))
    grade_class(tiny, NAME)
    alone = len(statements_of(lambda: grade_one(str(tiny), NAME, "ada")))
    for i in range(20):
        hand_in(tiny, f"student-{i}", solved(released(tiny)))
    grade_class(tiny, NAME)
    assert len(statements_of(lambda: grade_one(str(tiny), NAME, "ada"))) == alone


def test_the_number_of_statements_of_an_export_does_not_depend_on_the_class(tiny: Path) -> None:
    def export_all() -> None:
        for form in ("nbgrader", "canvas", "moodle", "junit"):
            export(tiny, NAME, form, tiny / "out")
        penalties(tiny, NAME)

    counts = []
    for number in (2, 12):
        for i in range(number):
            hand_in(tiny, f"student-{i}", solved(released(tiny)))
        grade_class(tiny, NAME)
        counts.append(len(statements_of(export_all)))
    assert counts[0] == counts[1]
