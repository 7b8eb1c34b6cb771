"""The Gradescope zip works in a clean folder: a right, an untouched, a hostile and an odd upload."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from test_export import check_gradescope
from tiny_course import NAME, released, solved

from course import cli
from course.grading.autograder_zip import export_autograder, requirements
from course.grading.exercise import ExerciseSet
from course.grading.gradescope import find_notebook
from course.grading.hostile import HOSTILE
from course.grading.release import release

ATTACKS = [a for a in HOSTILE if a.name in ("reads-solution", "writes", "exits", "claims-points")]


@pytest.fixture(scope="module")
def place(tiny_source: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The course, and Gradescope's layout with the zip unpacked as Gradescope does it."""
    course = tmp_path_factory.mktemp("zip") / "course"
    shutil.copytree(tiny_source, course)
    release(course, NAME)
    root = tmp_path_factory.mktemp("gradescope") / "autograder"
    export_autograder(course, NAME, root / "autograder.zip")
    with zipfile.ZipFile(root / "autograder.zip") as archive:
        for entry in archive.infolist():
            os.chmod(archive.extract(entry, root / "source"), entry.external_attr >> 16)
    done = subprocess.run(
        [root / "source" / "setup.sh"],
        env={"AUTOGRADER_ROOT": str(root), "AUTOGRADER_NO_APT": "1", "HOME": str(root),
             "PATH": f"{python_without_index(root.parent)}:/usr/bin:/bin"},
        cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (root / "setup-said").write_text(done.stdout)
    return course, root


def python_without_index(folder: Path) -> Path:
    """A folder with a Python for setup.sh: its environments are ours, and its pip only notes what it
    was asked for, as a test must not need a package index."""
    (folder / "bin").mkdir()
    python = folder / "bin" / "python3.13"
    python.write_text(
        f"""#!/bin/sh
case "$1 $2" in
"-m venv") mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
"-m pip") echo "$@" > {folder}/pip-asked ;;
*) exec {sys.executable} "$@" ;;
esac
"""
    )
    python.chmod(0o755)
    return python.parent


def test_setup_installs_within_the_tested_versions_and_readies_the_grader(
    place: tuple[Path, Path],
) -> None:
    root = place[1]
    asked = (root.parent / "pip-asked").read_text().split()
    assert asked[asked.index("--constraint") + 1] == str(root / "source" / "constraints.txt")
    assert asked[asked.index("--requirement") + 1] == str(root / "source" / "requirements.txt")
    assert re.search(
        rf"{NAME}: ready, sandbox: (bubblewrap|sandlock)", (root / "setup-said").read_text()
    )
    assert not stat.S_IMODE((root / "source").stat().st_mode) & 0o077  # no student's code may look


def grade(root: Path, upload: dict[str, Any]) -> dict[str, Any]:
    """Upload these files and run the autograder as Gradescope does; its results."""
    for folder in ("submission", "results"):
        shutil.rmtree(root / folder, ignore_errors=True)
        (root / folder).mkdir()
    for name, content in upload.items():
        (root / "submission" / name).parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else json.dumps(content)
        (root / "submission" / name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        [root / "source" / "run_autograder"],
        cwd=root,
        env={"AUTOGRADER_ROOT": str(root), "PATH": "/usr/bin:/bin", "HOME": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    results = json.loads((root / "results" / "results.json").read_text(encoding="utf-8"))
    check_gradescope(results)
    return results


@pytest.mark.sandbox
def test_the_solution_gets_everything_and_an_untouched_notebook_nothing(
    place: tuple[Path, Path],
) -> None:
    course, root = place
    right = grade(root, {"tiny.ipynb": solved(released(course))})
    assert right["score"] == 10
    assert [test["status"] for test in right["tests"]] == ["passed", "passed"]
    assert isinstance(right["execution_time"], int)
    untouched = grade(root, {"tiny.ipynb": released(course)})
    assert untouched["score"] == 0
    assert [test["status"] for test in untouched["tests"]] == ["failed", "failed"]


@pytest.mark.sandbox
def test_a_misconception_is_named_to_the_student(place: tuple[Path, Path]) -> None:
    course, root = place
    wrong = solved(released(course), mean_square="def mean_square(x):\n    return np.sum(x**2)")
    results = grade(root, {"tiny.ipynb": wrong})
    assert results["score"] == 4
    assert "Your value grows with the number of samples." in results["tests"][1]["output"]


@pytest.mark.sandbox
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_a_hostile_upload_gets_nothing_and_changes_nothing(
    place: tuple[Path, Path], attack: Any
) -> None:
    course, root = place
    before = sorted((str(p), p.read_bytes()) for p in (root / "source").rglob("*") if p.is_file())
    results = grade(root, {"tiny.ipynb": attack.submission(released(course), root / "source")})
    assert results["score"] == 0
    after = sorted((str(p), p.read_bytes()) for p in (root / "source").rglob("*") if p.is_file())
    assert [f for f, _ in after if "__pycache__" not in f] == [
        f for f, _ in before if "__pycache__" not in f
    ]
    assert {f: c for f, c in after if f.endswith((".ipynb", ".py", "seed"))} == {
        f: c for f, c in before if f.endswith((".ipynb", ".py", "seed"))
    }


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("upload", "said"),
    [({}, "no file tiny.ipynb"), ({"tiny.ipynb": "{"}, "damaged"), ({"a.py": "1"}, "no file")],
)
def test_an_upload_without_a_readable_notebook_is_told_why(
    place: tuple[Path, Path], upload: dict[str, str], said: str
) -> None:
    results = grade(place[1], upload)
    assert results["score"] == 0
    assert said in results["output"]


def test_the_notebook_is_found_in_a_folder_and_under_another_name(tmp_path: Path) -> None:
    (tmp_path / "repo" / ".ipynb_checkpoints").mkdir(parents=True)
    (tmp_path / "repo" / ".ipynb_checkpoints" / "tiny.ipynb").touch()
    (tmp_path / "repo" / "mine.ipynb").touch()
    path, note = find_notebook(tmp_path, "tiny.ipynb")
    assert path == tmp_path / "repo" / "mine.ipynb"
    assert "should be called tiny.ipynb" in (note or "")
    (tmp_path / "repo" / "tiny.ipynb").touch()
    assert find_notebook(tmp_path, "tiny.ipynb") == (tmp_path / "repo" / "tiny.ipynb", None)


def test_the_zip_holds_scripts_that_run_the_course_of_the_zip_and_no_pages_or_caches(
    place: tuple[Path, Path],
) -> None:
    course, root = place
    source = root / "source"
    for script in ("setup.sh", "run_autograder"):
        assert (source / script).stat().st_mode & stat.S_IXUSR
        subprocess.run(["bash", "-n", source / script], check=True)
        assert "@" not in (source / script).read_text()
    assert not list((source / "course").rglob("explore"))
    assert (source / ".grading" / "seed").read_text() == (course / ".grading" / "seed").read_text()
    assert stat.S_IMODE((root / "autograder.zip").stat().st_mode) == 0o600
    where = subprocess.run(
        [root / "env" / "bin" / "python", "-c", "import course; print(course.__file__)"],
        cwd="/", env={"PYTHONPATH": str(source)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert Path(where.stdout.strip()) == source / "course" / "__init__.py"


def test_the_same_assignment_gives_the_same_zip(place: tuple[Path, Path], tmp_path: Path) -> None:
    course, root = place
    export_autograder(course, NAME, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == (root / "autograder.zip").read_bytes()


def test_the_container_gets_what_the_exercises_may_import() -> None:
    def needs(*imports: str) -> list[str]:
        return requirements(ExerciseSet({}, imports))

    assert needs("numpy") == ["numpy", "rich", "sandlock; sys_platform == 'linux'"]
    assert "scikit-learn" in needs("sklearn.datasets")
    assert "matplotlib" in needs("course.data")


def test_an_assignment_that_was_not_released_is_not_packed(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tiny / "nbgrader_config.py").touch()
    shutil.rmtree(tiny / "assignments")
    monkeypatch.chdir(tiny)
    done = CliRunner().invoke(cli.main, ["export-autograder", NAME])
    assert done.exit_code == 2
    assert f"run course release {NAME} first" in done.output
    assert not list(tiny.glob("*.zip"))
