"""`course regrade` shows whose grade changes before it writes; `course feedback` writes pages again."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import pytest
import tiny_course
from click.testing import CliRunner
from nbgrader.api import Gradebook
from tiny_course import NAME, hand_in, released, solved

from course import cli
from course.grading import autograde, gradebook, regrade
from course.grading.gradebook import GradingRefused, course_directory, grade_class
from course.grading.results import Outcome, Result

pytestmark = [
    pytest.mark.usefixtures("trusting"),
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),
]
OTHER = "def double(x):\n    return x + x"


class Mended(tiny_course.TrustingGrader):
    """Grades as before, but also accepts x + x, and says something better about `mean_square`."""

    def grade(self, cells: Any) -> Result:
        if any("no more" in cell.source for cell in cells):
            raise RuntimeError("the grader stumbles")
        outcomes = super().grade(cells).outcomes
        if any(cell.source == OTHER for cell in cells):
            outcomes["double"] = Outcome("double", 4.0, 4.0, "correct", "Right.")
        if outcomes["mean_square"].points == 0:
            outcomes["mean_square"] = Outcome("mean_square", 0.0, 6.0, "wrong", "Divide by N.")
        if any("lucky" in cell.source for cell in cells):
            outcomes["double"] = Outcome("double", 0.0, 4.0, "wrong", "Constant.")
        return Result(outcomes)


@pytest.fixture
def graded(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Graded once; then the exercise is mended.  Ben was wronged, Cid was lucky."""
    (tiny / "nbgrader_config.py").write_text(
        "from course.grading.autograde import configure\nc = get_config()\nconfigure(c)\n"
    )
    hand_in(tiny, "ada", solved(released(tiny)))
    hand_in(tiny, "ben", solved(released(tiny), double=OTHER))
    lucky = solved(released(tiny))
    lucky["cells"].append(tiny_course.code("extra", "lucky = 1"))
    hand_in(tiny, "cid", lucky)
    hand_in(tiny, "dan", solved(released(tiny), mean_square="def mean_square(x): return 1"))
    grade_class(tiny, NAME)
    for module in (autograde, gradebook):
        monkeypatch.setattr(module, "grader_for", lambda *_: Mended())
    monkeypatch.chdir(tiny)
    return tiny


def tree(root: Path) -> dict[str, str]:
    """Every file that grading writes, by its content (the gradebook by its grades)."""
    found = {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in ("autograded", "feedback")
        for path in (root / folder).rglob("*")
        if path.is_file()
    }
    return found | {student: str(score) for student, score in scores(root).items()}


def scores(root: Path) -> dict[str, float]:
    coursedir, _ = course_directory(root)
    with Gradebook(coursedir.db_url) as book:
        return {s.student.id: s.score for s in book.assignment_submissions(NAME)}


def run(*arguments: str, answer: str | None = None) -> Any:
    return CliRunner(env={"COLUMNS": "120"}).invoke(cli.main, arguments, input=answer)


def test_whose_grade_changes_is_known_and_nothing_is_written(graded: Path) -> None:
    before = tree(graded)
    found = {change.student: change for change in regrade.changes(graded, NAME)}
    assert {s: c.gain for s, c in found.items()} == {"ada": 0, "ben": 4, "cid": -4, "dan": 0}
    assert [s for s, c in found.items() if c.grade_changes] == ["ben", "cid"]
    assert [s for s, c in found.items() if c.only_words_change] == ["dan"]
    (difference,) = found["ben"].differences
    assert (difference.exercise, difference.old.points, difference.new.points) == ("double", 0, 4)
    assert tree(graded) == before


def test_a_no_leaves_everything_as_it_was(graded: Path) -> None:
    before = tree(graded)
    done = run("regrade", NAME, answer="n\n")
    assert done.exit_code == 1
    assert re.search(r"ben +double +0 / 4 +4 / 4", done.output)
    assert re.search(r"▼ all +10 / 10 +6 / 10", done.output)
    assert "2 of 4 grades change (1 up, 1 down); 1 keep their points" in done.output
    assert "Nothing was written." in done.output
    assert tree(graded) == before


def test_a_yes_writes_only_what_changes(graded: Path) -> None:
    before = tree(graded)
    done = run("regrade", NAME, answer="y\n")
    assert done.exit_code == 0, done.output
    assert scores(graded) == {"ada": 10, "ben": 10, "cid": 6, "dan": 4}
    after = tree(graded)
    touched = {key for key in after if after[key] != before[key]}
    assert {key.split("/")[1] for key in touched if "/" in key} == {"ben", "cid", "dan"}
    assert "Divide by N." in (graded / "feedback" / "dan" / NAME / "tiny.html").read_text()
    again = run("regrade", NAME)
    assert again.exit_code == 0
    assert "0 of 4 grades change" in again.output


def test_marks_given_by_hand_survive(graded: Path) -> None:
    coursedir, _ = course_directory(graded)
    with Gradebook(coursedir.db_url) as book:
        grade = book.find_grade("why", "tiny", NAME, "ben")
        grade.manual_score, grade.needs_manual_grade = 1.5, False
        book.db.commit()
    assert run("regrade", NAME, "--yes").exit_code == 0
    assert scores(graded)["ben"] == 11.5


def test_a_failure_of_the_grader_is_said_and_that_grade_stays(graded: Path) -> None:
    hand_in(graded, "ada", solved(released(graded), double="no more"))
    done = run("regrade", NAME, "--yes")
    assert done.exit_code == 1
    assert "Not graded anew: ada. RuntimeError: the grader stumbles" in done.output
    assert scores(graded) == {"ada": 10, "ben": 10, "cid": 6, "dan": 4}


def test_regrading_one_student_leaves_the_others(graded: Path) -> None:
    assert run("regrade", NAME, "--student", "ben", "--yes").exit_code == 0
    assert scores(graded) == {"ada": 10, "ben": 10, "cid": 10, "dan": 4}


def test_what_was_never_graded_cannot_be_regraded(tiny: Path) -> None:
    hand_in(tiny, "ada", solved(released(tiny)))
    with pytest.raises(GradingRefused, match="use course grade"):
        regrade.changes(tiny, NAME)
    grade_class(tiny, NAME)
    with pytest.raises(GradingRefused, match="by zoe was graded before"):
        regrade.changes(tiny, NAME, ["zoe"])


def test_feedback_written_again_shows_a_mark_given_by_hand(graded: Path) -> None:
    coursedir, _ = course_directory(graded)
    with Gradebook(coursedir.db_url) as book:
        grade = book.find_grade("why", "tiny", NAME, "ada")
        grade.manual_score, grade.needs_manual_grade = 2.0, False
        book.db.commit()
    page = graded / "feedback" / "ada" / NAME / "tiny.html"
    assert "10 / 12 points" in page.read_text()
    done = run("feedback", NAME)
    assert done.exit_code == 0, done.output
    assert "4 feedback pages written" in done.output
    assert "12 / 12 points" in page.read_text()


def test_feedback_of_somebody_who_was_not_graded_is_refused(graded: Path) -> None:
    done = run("feedback", NAME, "--student", "zoe")
    assert done.exit_code == 2
    assert "No submission of zoe" in done.output


def test_an_exercise_that_is_worth_more_shows_old_and_new_totals(
    graded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Dearer(tiny_course.TrustingGrader):
        def grade(self, cells: Any) -> Result:
            outcomes = super().grade(cells).outcomes
            right = outcomes["double"].points > 0
            outcomes["double"] = Outcome(
                "double", 5.0 * right, 5.0, "correct" if right else "wrong", ""
            )
            return Result(outcomes)

    for path in ("solutions", "assignments"):  # the check cell says five, too
        file = graded / path / NAME / "tiny.ipynb"
        file.write_text(file.read_text().replace('"points": 4', '"points": 5'))
    for module in (autograde, gradebook):
        monkeypatch.setattr(module, "grader_for", lambda *_: Dearer())
    done = CliRunner().invoke(cli.main, ["regrade", NAME], input="n\n", terminal_width=150)
    assert done.exit_code == 1
    assert re.search(r"▲ all\s+10 / 10\s+11 / 11", done.output)
    assert re.search(r"= all\s+6 / 10\s+6 / 11", done.output)
    assert "4 of 4 grades change (3 up, 0 down, 1 with the same points, counted otherwise)" in (
        " ".join(done.output.split())
    )
