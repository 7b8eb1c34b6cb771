"""nbgrader's own commands, as an instructor types them, grade in the sandbox."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_course import NAME, hand_in, released, solved

from course.grading.hostile import HOSTILE

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]
ROOT = Path(__file__).parents[2]


def nbgrader(course: Path, *arguments: str) -> str:
    """Run an nbgrader command in the folder of a course, with nothing but it on the path."""
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=course,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_autograde_feedback_and_export_from_the_command_line(tiny: Path) -> None:
    shutil.copyfile(ROOT / "nbgrader_config.py", tiny / "nbgrader_config.py")
    (tiny / "gradebook.db").unlink()  # as after a fresh clone
    hand_in(tiny, "ada", solved(released(tiny)))
    hand_in(tiny, "bob", released(tiny))
    hand_in(tiny, "cid", "not a notebook")
    wrong = "def mean_square(x):\n    return float(np.sum(x**2))"
    folder = hand_in(tiny, "dan", solved(released(tiny), mean_square=wrong)).parent
    (folder / "timestamp.txt").write_text("one day")
    for attack in HOSTILE:
        if attack.name in ("gradebook", "writes", "exits"):
            hand_in(tiny, f"eve-{attack.name}", attack.submission(released(tiny), tiny))
    nbgrader(tiny, "autograde", NAME)
    nbgrader(tiny, "generate_feedback", NAME)
    nbgrader(tiny, "export")
    with (tiny / "grades.csv").open(newline="") as file:
        scores = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert scores == {
        "ada": 10, "bob": 0, "cid": 0, "dan": 4,
        "eve-gradebook": 0, "eve-writes": 0, "eve-exits": 0,
    }  # fmt: skip
    said = {
        student: (tiny / "feedback" / student / NAME / "tiny.html").read_text()
        for student in scores
    }
    assert "Your value grows with the number of samples." in said["dan"]
    assert "damaged" in said["cid"]
    assert not list(tiny.rglob("planted.txt"))


def test_a_submission_that_is_graded_is_left_alone_until_it_is_forced(tiny: Path) -> None:
    shutil.copyfile(ROOT / "nbgrader_config.py", tiny / "nbgrader_config.py")
    hand_in(tiny, "ada", solved(released(tiny)))
    nbgrader(tiny, "autograde", NAME)
    assert "Skipping existing assignment" in nbgrader(tiny, "autograde", NAME)
    assert "Grading" in nbgrader(tiny, "autograde", NAME, "--force")


def test_without_a_sandbox_nothing_is_graded_and_the_command_says_what_to_install(
    tiny: Path,
) -> None:
    hand_in(tiny, "ada", solved(released(tiny)))
    (tiny / "nbgrader_config.py").write_text(
        (ROOT / "nbgrader_config.py").read_text()
        + "\nget_config().SandboxedAutograde.sandbox = 'none of the two'\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", "autograde", NAME],
        cwd=tiny,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Nothing was graded" in done.stderr
    assert not (tiny / "autograded").exists()


def test_if_the_settings_cannot_be_loaded_nbgrader_does_not_go_on_with_its_own(tiny: Path) -> None:
    shutil.copyfile(ROOT / "nbgrader_config.py", tiny / "nbgrader_config.py")
    hand_in(tiny, "ada", "open('planted.txt', 'w')")
    (tiny / "course.py").write_text("raise ImportError('an old version')")
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", "autograde", NAME],
        cwd=tiny,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Nothing was done. nbgrader_config.py: an old version" in done.stderr
    assert not (tiny / "autograded").exists()
