"""Killed anywhere, a batch is finished by running it again; what cannot be written is said."""

from __future__ import annotations

import json
import multiprocessing
import random
import shutil
import signal
import sqlite3
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from nbgrader.api import Gradebook
from tiny_course import NAME, hand_in, released, solved

from course.grading import autograde, warm
from course.grading.database import stop_if_nothing_can_be_written
from course.grading.gradebook import GradingRefused, course_directory, grade_class

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # nbgrader's queries

KILLS = 50


def small_class(root: Path) -> None:
    """Right, half right, and a file that cannot be read."""
    hand_in(root, "ada", solved(released(root)))
    hand_in(root, "bob", solved(released(root), double="def double(x):\n    return x"))
    hand_in(root, "eve", "broken")


def recorded(root: Path) -> dict[str, Any]:
    """All that grading left for each student: grades, the graded notebook, the page."""
    coursedir, _ = course_directory(root)
    with Gradebook(coursedir.db_url) as book:
        submissions = list(book.assignment_submissions(NAME))
        assert Counter(s.student.id for s in submissions).most_common(1)[0][1] == 1
        grades = {
            s.student.id: sorted(
                (grade.name, grade.auto_score) for n in s.notebooks for grade in n.grades
            )
            for s in submissions
        }
    found = {}
    for student, points in grades.items():
        graded = root / "autograded" / student / NAME
        page = root / "feedback" / student / NAME
        assert [p.name for p in graded.iterdir()] == ["tiny.ipynb"]
        assert [p.name for p in page.iterdir()] == ["tiny.html"]
        notebook = json.loads((graded / "tiny.ipynb").read_text())
        found[student] = points, notebook, (page / "tiny.html").read_text()
    return found


@pytest.mark.sandbox
@pytest.mark.slow
def test_a_batch_killed_at_any_moment_is_finished_by_running_it_again(
    tiny: Path, tmp_path: Path
) -> None:
    small_class(tiny)
    fresh = tmp_path / "fresh"
    shutil.copytree(tiny, fresh)
    grade_class(tiny, NAME)  # the reference is there, everything is imported
    shutil.copytree(tiny / ".grading", fresh / ".grading")
    shutil.rmtree(fresh / ".grading" / "results")
    shutil.rmtree(fresh / ".grading" / "attempts", ignore_errors=True)
    began = time.monotonic()
    undisturbed_results = grade_class(fresh, NAME)
    whole = time.monotonic() - began
    undisturbed = recorded(fresh)

    chance = random.Random(1)
    killed = 0
    victim = tmp_path / "victim"
    for attempt in range(3 * KILLS):
        if attempt % 5 == 0:  # from nothing; else on top of what earlier kills left
            shutil.rmtree(victim, ignore_errors=True)
            shutil.copytree(tiny, victim, ignore=shutil.ignore_patterns(*GRADED))
            shutil.copytree(fresh / ".grading", victim / ".grading")
        shutil.rmtree(victim / ".grading" / "results", ignore_errors=True)
        batch = multiprocessing.get_context("fork").Process(target=grade_class, args=(victim, NAME))
        batch.start()
        batch.join(chance.uniform(0, whole))
        batch.kill()
        batch.join()
        killed += batch.exitcode == -signal.SIGKILL
        after = tmp_path / f"after-{attempt}"  # the next kill meets what this one left
        shutil.copytree(victim, after)
        assert grade_class(after, NAME) == undisturbed_results
        assert recorded(after) == undisturbed
        shutil.rmtree(after)
        if killed >= KILLS:
            break
    assert killed >= KILLS


GRADED = ("gradebook.db*", "autograded", "feedback", ".grading")


@pytest.mark.sandbox
def test_what_was_run_before_is_not_run_again(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_class(tiny)
    before = grade_class(tiny, NAME)
    autograde._graders.clear()
    ran = []
    monkeypatch.setattr("course.grading.grader.run_submission", lambda *_: ran.append(1))
    assert grade_class(tiny, NAME) == before
    assert not ran


@pytest.mark.sandbox
def test_a_changed_exercise_is_run_anew(tiny: Path) -> None:
    small_class(tiny)
    assert grade_class(tiny, NAME)["bob"].points == 6
    file = tiny / "solutions" / NAME / "exercises.py"
    file.write_text(file.read_text().replace("dict(y=student.double(x))", "dict(y=2.0)"))
    assert grade_class(tiny, NAME)["bob"].points == 10


@pytest.mark.usefixtures("trusting")
def test_a_gradebook_in_use_stops_with_advice_and_loses_nothing(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_class(tiny)
    before = grade_class(tiny, NAME)
    kept = recorded(tiny)
    monkeypatch.setattr(warm, "PATIENCE", 0.1)
    other = sqlite3.connect(tiny / "gradebook.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(GradingRefused, match=r"gradebook is in use.*run the same command again"):
        grade_class(tiny, NAME)
    other.rollback()
    other.close()
    assert grade_class(tiny, NAME) == before
    assert recorded(tiny) == kept


@pytest.mark.usefixtures("trusting")
def test_a_full_disk_stops_with_advice_and_loses_nothing(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_class(tiny)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(autograde.SandboxedAutograde, "write_single_notebook", full)
        with pytest.raises(GradingRefused, match="disk is full"):
            grade_class(tiny, NAME)
    assert {s: r.points for s, r in grade_class(tiny, NAME).items()} == {
        "ada": 10, "bob": 6, "eve": 0,
    }  # fmt: skip
    assert set(recorded(tiny)) == {"ada", "bob", "eve"}


@pytest.mark.usefixtures("trusting")
def test_a_student_cannot_stop_the_class_with_the_words_of_a_full_disk() -> None:
    stop_if_nothing_can_be_written("KeyError: 'OSError: No space left on device'")
