"""The demo's class gets what its members deserve, and each is told why."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import tiny_course
from bs4 import BeautifulSoup
from rich.console import Console

from course.grading.demo import Row, make_class, run
from course.grading.gradebook import feedback_pages, grade_class, local_executor
from course.grading.misconception import Misconception

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.sandbox, pytest.mark.slow]


@pytest.fixture(scope="module")
def demo(
    tiny_source: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Row], str]:
    """The demo on the tiny assignment: its folder, its rows by student, what it printed."""
    folder = tmp_path_factory.mktemp("demo") / "class"
    console = Console(file=io.StringIO(), width=160)
    rows = run(console, folder, tiny_course.NAME, tiny_source)
    return folder, {row.submission.student: row for row in rows}, console.file.getvalue()


def page(folder: Path, student: str, name: str = tiny_course.NAME) -> str:
    (file,) = feedback_pages(folder, name, student)
    return file.read_text(encoding="utf-8")


def test_honest_students_get_what_they_did(demo: tuple[Path, dict[str, Row], str]) -> None:
    _, rows, _ = demo
    points = {s: r.result.points for s, r in rows.items() if r.submission.kind == "honest"}
    assert points == {"solution": 10, "untouched": 0, "half-done": 4, "syntax-error": 4}
    assert "SyntaxError" in rows["syntax-error"].result.outcomes["mean_square"].message
    assert all(o.status == "not done" for o in rows["untouched"].result.outcomes.values())


def test_each_misconception_loses_points_and_its_hint_stands_on_the_page(
    demo: tuple[Path, dict[str, Row], str],
) -> None:
    folder, rows, _ = demo
    found = [row for row in rows.values() if row.submission.kind == "misconception"]
    assert len(found) == 2
    for row in found:
        wrong = row.submission.misconception
        assert isinstance(wrong, Misconception)
        assert row.result.points < 10
        assert row.result.outcomes[wrong.cell].misconception == wrong.name
        assert wrong.hint in page(folder, row.submission.student)


def test_hostile_submissions_get_nothing(demo: tuple[Path, dict[str, Row], str]) -> None:
    _, rows, _ = demo
    hostile = {s: r.result.points for s, r in rows.items() if r.submission.kind == "hostile"}
    assert len(hostile) >= 8
    assert set(hostile.values()) == {0}


def test_a_broken_file_gets_zero_and_a_reason(demo: tuple[Path, dict[str, Row], str]) -> None:
    folder, rows, _ = demo
    result = rows["broken-file"].result
    assert (result.points, result.max_points) == (0, 10)
    assert result.reason is not None
    assert "damaged" in page(folder, "broken-file")


def test_the_table_names_everybody_and_the_feedback_pages(
    demo: tuple[Path, dict[str, Row], str],
) -> None:
    folder, rows, printed = demo
    lines = {line.split()[0]: line for line in printed.splitlines() if line.split()}
    assert set(rows) <= set(lines)
    assert "10 / 10" in lines["solution"]
    assert "everything right" in lines["solution"]
    assert f"{folder / 'feedback'}/STUDENT/{tiny_course.NAME}/tiny.html" in printed


def test_the_demo_writes_nothing_where_it_takes_the_assignment_from(
    demo: tuple[Path, dict[str, Row], str], tiny_source: Path
) -> None:
    assert sorted(p.name for p in tiny_source.iterdir()) == [
        "assignments", "gradebook.db", "solutions",
    ]  # fmt: skip


def test_a_folder_with_something_in_it_is_not_used(tmp_path: Path, tiny_source: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(FileExistsError, match="name a new folder"):
        run(Console(file=io.StringIO()), tmp_path, tiny_course.NAME, tiny_source)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_an_assignment_that_is_not_there_is_said(tmp_path: Path, tiny_source: Path) -> None:
    with pytest.raises(FileNotFoundError, match="demo needs the released assignment"):
        run(Console(file=io.StringIO()), tmp_path / "new", "99-none", tiny_source)


@pytest.mark.timeout(600)
def test_the_class_of_assignment_09_gets_its_points_and_hints(tmp_path: Path) -> None:
    """The class of `course demo`, graded by two processes.

    Every third misconception: that each is recognised is tested over all assignments without
    nbgrader; here it is that the hint reaches the page.
    """
    name = "09-backprop"
    everybody = make_class(ROOT, tmp_path, name)
    wrong = [s for s in everybody if s.kind == "misconception"][::3]
    submissions = [s for s in everybody if s.kind != "misconception"] + wrong
    students = [submission.student for submission in submissions]
    with local_executor(2) as executor:
        results = grade_class(tmp_path, name, students, executor=executor)
    assert list(results) == students
    points = {student: result.points for student, result in results.items()}
    assert points["solution"] == 100
    assert points["untouched"] == 0
    assert 0 < points["half-done"] < 100
    assert 0 < points["syntax-error"] < 100
    earned = {s.student: points[s.student] for s in submissions if s.kind in ("hostile", "broken")}
    assert set(earned.values()) == {0}
    for submission in wrong:
        mistake = submission.misconception
        assert mistake is not None
        assert points[submission.student] < 100
        outcome = results[submission.student].outcomes[mistake.cell]
        assert outcome.misconception == mistake.name
        text = BeautifulSoup(page(tmp_path, submission.student, name), "html.parser").text
        assert mistake.hint in text
