"""The gradebook on a real PostgreSQL server gives what the SQLite file gives."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from nbgrader.apps.api import NbGraderAPI
from postgres_server import Server, programs
from test_killed_anywhere import recorded
from tiny_course import NAME, hand_in, released, solved

from course.grading.export import export
from course.grading.gradebook import course_directory, grade_class
from course.grading.pool import Processes
from course.grading.results import GradingRefused, Result

pytestmark = [
    pytest.mark.slow,
    pytest.mark.sandbox,
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),
]

CONFIG = """
c = get_config()
from course.grading.autograde import configure
from course.grading.policy import policy

configure(c)
policy(c, percent_per_day=10)
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    there = programs()
    if there is None:
        pytest.fail("these tests need a PostgreSQL server: apt install postgresql")
    server = Server(there)
    server.start()
    yield server
    server.stop()
    server.remove()


def two_courses(tiny: Path, db_url: str) -> tuple[Path, Path]:
    """The same class twice, graded into a file and into the server."""
    for i in range(8):
        text = f"def double(x):\n    return {2 + i % 2} * x  # {i}"
        hand_in(tiny, f"student-{i}", solved(released(tiny), double=text))
    hand_in(tiny, "eve", "broken")
    (tiny / "nbgrader_config.py").write_text(CONFIG)
    there = tiny.with_name("served")
    shutil.copytree(tiny, there)
    for file in there.glob("gradebook.db*"):  # of the release
        file.unlink()
    line = f"c.CourseDirectory.db_url = {db_url!r}\n"
    (there / "nbgrader_config.py").write_text(CONFIG + line)
    return tiny, there


def test_a_class_graded_by_several_processes_is_recorded_as_in_a_file(
    tiny: Path, server: Server
) -> None:
    here, there = two_courses(tiny, server.new_database())
    expected = grade_class(here, NAME)
    (there / ".grading").mkdir(mode=0o700)
    shutil.copyfile(here / ".grading" / "seed", there / ".grading" / "seed")
    with Processes(3) as executor:
        assert grade_class(there, NAME, executor=executor) == expected
        again = grade_class(there, NAME, executor=executor)
    assert again == expected
    assert recorded(there) == recorded(here)
    assert not (there / "gradebook.db").exists()

    assert exported(there) == exported(here)


def exported(root: Path) -> list[dict[str, str]]:
    """The rows of the table that the office gets, without the times of the files."""
    assert len(export(root, NAME, "nbgrader", root / "out.csv")) == 9
    with (root / "out.csv").open(newline="") as table:
        return [{**row, "timestamp": ""} for row in csv.DictReader(table)]


def test_the_formgrader_and_marks_given_by_hand_work_on_the_server(
    tiny: Path, server: Server
) -> None:
    _, root = two_courses(tiny, server.new_database())
    grade_class(root, NAME)
    coursedir, config = course_directory(root)
    api = NbGraderAPI(coursedir, config=config)
    (assignment,) = api.get_assignments()
    assert (assignment["name"], assignment["num_submissions"]) == (NAME, 9)
    submissions = {s["student"]: s for s in api.get_submissions(NAME)}
    assert submissions["student-0"]["score"] == 10
    assert submissions["student-0"]["autograded"]
    assert {s["id"] for s in api.get_students()} == set(submissions)
    assert api.get_student_submissions("eve")[0]["score"] == 0
    assert len(api.get_notebook_submissions(NAME, "tiny")) == 9
    with Gradebook(coursedir.db_url) as book:
        grade = book.find_grade("check-double", "tiny", NAME, "student-1")
        grade.manual_score = 3.5
        book.db.commit()
    assert grade_class(root, NAME, ["student-1"])["student-1"].points == 6
    scores = {s.student: s.raw_score for s in export(root, NAME, "nbgrader", root / "out.csv")}
    assert scores["student-1"] == 9.5


def test_a_stopped_server_is_said_and_nothing_is_lost(tiny: Path, server: Server) -> None:
    _, root = two_courses(tiny, server.new_database())
    seen = []

    def stop_after_three(done: int, total: int, student: str, _: Result) -> None:
        seen.append(student)
        if done == 3:
            server.stop()

    advice = (
        r"The gradebook's server does not answer: .+\. Start it, or mend"
        r" c\.CourseDirectory\.db_url in nbgrader_config\.py, and run the same command again"
    )
    try:
        with pytest.raises(GradingRefused, match=advice):
            grade_class(root, NAME, progress=stop_after_three)
        with pytest.raises(GradingRefused, match=advice):
            grade_class(root, NAME)
        with Processes(2) as executor, pytest.raises(GradingRefused, match=advice):
            grade_class(root, NAME, executor=executor)
    finally:
        server.start()
    assert len(seen) == 3
    with Gradebook(course_directory(root)[0].db_url) as book:
        kept = {s.student.id: s.score for s in book.assignment_submissions(NAME)}
    expected = {f"student-{i}": 6.0 if i % 2 else 10.0 for i in range(8)} | {"eve": 0.0}
    assert {s: kept[s] for s in seen} == {s: expected[s] for s in seen}
    results = grade_class(root, NAME)
    assert {s: r.points for s, r in results.items()} == expected
    assert set(recorded(root)) == set(expected)
