"""No attack earns points, changes a file outside its own folder, or touches anyone else's grade."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nbgrader.api import Gradebook
from tiny_course import NAME, hand_in, released, solved

from course.grading.gradebook import course_directory, grade_class, grade_one
from course.grading.grader import Grader
from course.grading.hostile import HOSTILE, Hostile
from course.grading.results import Result

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]
# What grading itself writes; grades are compared apart from the file they are in.
WRITTEN = {"autograded", "feedback", ".grading"}
SANDBOXES = ("bubblewrap", "sandlock")


def checksums(root: Path) -> dict[str, str]:
    """Every file of the course but those grading writes, by content."""
    found = {}
    for path in sorted(root.rglob("*")):
        inside = path.relative_to(root)
        if path.is_file() and inside.parts[0] not in WRITTEN and inside.name != "gradebook.db":
            found[str(inside)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def grades(root: Path, but: str = "") -> dict[tuple[str, str], Any]:
    """Every single grade in the gradebook, but those of one student."""
    coursedir, _ = course_directory(root)
    with Gradebook(coursedir.db_url) as book:
        return {
            (submission.student.id, grade.name): (grade.auto_score, grade.manual_score)
            for submission in book.assignment_submissions(NAME)
            for notebook in submission.notebooks
            for grade in notebook.grades
            if submission.student.id != but
        }


@pytest.fixture(scope="module")
def attacked(tiny_source: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A class with honest students, graded, that every attack is then added to."""
    root = tmp_path_factory.mktemp("attacked") / "course"
    shutil.copytree(tiny_source, root)
    hand_in(root, "ada", solved(released(root)))
    hand_in(root, "bob", solved(released(root), double="def double(x):\n    return x"))
    grade_class(root, NAME)
    yield root
    # Whatever an attack left behind has had the whole run to show itself.
    assert not list(root.rglob("planted.txt"))


@pytest.mark.parametrize("sandbox", SANDBOXES)
@pytest.mark.parametrize("attack", HOSTILE, ids=lambda attack: attack.name)
def test_an_attack_gets_nothing_and_changes_nothing(
    attacked: Path, attack: Hostile, sandbox: str
) -> None:
    student = f"{attack.name}-{sandbox}"
    hand_in(attacked, student, attack.submission(released(attacked), attacked))
    before = checksums(attacked), grades(attacked, but=student)
    result = grade_one(str(attacked), NAME, student, sandbox)
    assert (checksums(attacked), grades(attacked, but=student)) == before
    assert result.reason is None
    assert result.points == 0
    assert {k: v for k, v in grades(attacked).items() if k[0] == student} == {
        (student, "check-double"): (0, None),
        (student, "check-mean_square"): (0, None),
        (student, "why"): (0, None),
    }
    assert (attacked / "feedback" / student / NAME / "tiny.html").is_file()


def graded_alone(root: Path, student: str, notebook: dict[str, Any]) -> Result:
    hand_in(root, student, notebook)
    return grade_one(str(root), NAME, student)


def test_honest_students_keep_their_points_after_all_attacks(attacked: Path) -> None:
    points = {s: grade_one(str(attacked), NAME, s).points for s in ("ada", "bob")}
    assert points == {"ada": 10, "bob": 6}


def test_an_attack_that_also_solves_an_exercise_keeps_what_it_earned(attacked: Path) -> None:
    """Points are for right values: shouting 'I am an attack' does not lose them."""
    notebook = solved(released(attacked), double="import os\n" + "def double(x):\n    return x + x")
    assert graded_alone(attacked, "honest", notebook).points == 10


def test_a_warning_on_stderr_costs_nothing(attacked: Path) -> None:
    loud = "import sys, warnings\ndef double(x):\n    warnings.warn('old')\n    print('!', file=sys.stderr)\n    return 2 * x"
    assert graded_alone(attacked, "loud", solved(released(attacked), double=loud)).points == 10


def test_a_hint_reaches_the_page_and_hidden_values_do_not(attacked: Path) -> None:
    wrong = "def mean_square(x):\n    return float(np.sum(x**2))"
    result = graded_alone(attacked, "cid", solved(released(attacked), mean_square=wrong))
    assert result.outcomes["mean_square"].misconception == "sum, not mean"
    page = (attacked / "feedback" / "cid" / NAME / "tiny.html").read_text()
    assert "Your value grows with the number of samples." in page
    hidden = Grader(attacked, NAME).reference.expected["mean_square"]
    numbers = [value for case in hidden.cases for value in case.values.values()]
    assert len(numbers) == 6
    assert [n for n in numbers if f"{n:.4g}" in page] == []
