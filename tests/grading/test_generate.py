"""nbgrader's own command for the student version makes what `course release` makes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from tiny_course import NAME

from course.grading.release import release

ROOT = Path(__file__).parents[2]


@pytest.fixture
def course(tiny: Path) -> Path:
    """A course as in a fresh clone: solutions, nothing released, no gradebook."""
    shutil.copyfile(ROOT / "nbgrader_config.py", tiny / "nbgrader_config.py")
    shutil.rmtree(tiny / "assignments")
    (tiny / "gradebook.db").unlink(missing_ok=True)
    return tiny


def generate(course: Path, *options: str) -> subprocess.CompletedProcess[str]:
    scripts = Path(sys.executable).parent
    return subprocess.run(
        [scripts / "nbgrader", "generate_assignment", NAME, *options],
        cwd=course, env={**os.environ, "PATH": f"{scripts}:{os.environ['PATH']}"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.slow
def test_generate_makes_the_same_files_as_release_and_the_gradebooks_entry(course: Path) -> None:
    done = generate(course)
    assert done.returncode == 0, done.stderr
    made = files(course / "assignments" / NAME)
    assert "checks.json" in made
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        assert book.find_assignment(NAME).max_score == 12
    release(course, NAME)
    assert files(course / "assignments" / NAME) == made


@pytest.mark.slow
def test_generate_leaves_a_released_assignment_unless_forced(course: Path) -> None:
    release(course, NAME)
    checks = course / "assignments" / NAME / "checks.json"
    checks.write_text("{}")
    done = generate(course)
    assert done.returncode == 0
    assert "--force makes it anew" in done.stderr
    assert checks.read_text() == "{}"
    assert generate(course, "--force").returncode == 0
    assert len(checks.read_text()) > 100


@pytest.mark.slow
def test_an_assignment_that_is_only_marked_by_hand_is_left_to_nbgrader(course: Path) -> None:
    (course / "solutions" / NAME / "exercises.py").unlink()
    (course / "solutions" / NAME / "misconceptions.py").unlink()
    done = generate(course)
    assert done.returncode == 0, done.stderr
    assert set(files(course / "assignments" / NAME)) == {"tiny.ipynb"}
