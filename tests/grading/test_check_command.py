"""`course check FILE`: what a student meets who points it at the wrong thing, or is half done."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tiny_course import NAME, solved

from course import cli
from course.grading.release import release


@pytest.fixture(scope="module")
def assignment(tiny_source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A student's folder: the released files, far from any course."""
    root = tmp_path_factory.mktemp("check")
    shutil.copytree(tiny_source, root / "course")
    release(root / "course", NAME)
    return Path(shutil.copytree(root / "course" / "assignments" / NAME, root / "home"))


@pytest.fixture
def home(assignment: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(assignment, tmp_path / "home"))


def check(path: Path, *options: str) -> Result:
    return CliRunner().invoke(cli.main, ["check", str(path), *options], terminal_width=200)


def said(result: Result) -> str:
    return " ".join(result.output.split())


def write(home: Path, **sources: str) -> Path:
    path = home / "tiny.ipynb"
    notebook = json.loads(path.read_text())
    path.write_text(json.dumps(solved(notebook, **sources)))
    return path


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("notes.txt", "hello", "notes.txt is no notebook and cannot be read as one"),
        ("half.ipynb", '{"cells": [', "half.ipynb cannot be read as a notebook: it is damaged"),
        ("list.ipynb", "[1, 2]", "list.ipynb is not a notebook: it has no list of cells"),
        ("empty.ipynb", "", "it is damaged, or was not saved as one"),
    ],
)
def test_what_is_no_notebook_is_said_and_ends_with_two(
    home: Path, name: str, content: str, says: str
) -> None:
    (home / name).write_text(content)
    done = check(home / name)
    assert done.exit_code == 2
    assert says in said(done)


def test_a_notebook_without_its_assignments_files_says_what_is_missing(home: Path) -> None:
    write(home)
    (home / "checks.json").unlink()
    done = check(home / "tiny.ipynb")
    assert done.exit_code == 2
    assert "holds no checks.json: keep the assignment's files together" in said(done)
    (home / "exercises.py").unlink()
    assert "holds no exercises.py" in said(check(home / "tiny.ipynb"))


@pytest.mark.sandbox
def test_the_notebook_of_another_assignment_is_recognised(home: Path) -> None:
    other = {"cells": [{"cell_type": "code", "source": "x = 1", "metadata": {}, "outputs": []}]}
    (home / "tiny.ipynb").write_text(json.dumps(other))
    done = check(home / "tiny.ipynb")
    assert done.exit_code == 2
    assert "is it the notebook of another assignment?" in said(done)
    # Where some platform dropped the cells' marks, right work stays right, as in grading.
    cells = [{"metadata": {}, **cell} for cell in json.loads(write_plain(home))["cells"]]
    (home / "tiny.ipynb").write_text(json.dumps({"cells": cells}))
    assert check(home / "tiny.ipynb").exit_code == 0


def write_plain(home: Path) -> str:
    """A solved notebook whose cells have lost their metadata."""
    source = "import numpy as np\ndef double(x):\n    return 2 * x\n"
    more = "def mean_square(x):\n    return float(np.mean(x**2))"
    cells = [{"cell_type": "code", "source": s, "outputs": []} for s in (source, more)]
    return json.dumps({"cells": cells})


@pytest.mark.sandbox
def test_a_folder_stands_for_its_only_notebook(home: Path) -> None:
    write(home)
    assert check(home).exit_code == 0
    shutil.copy(home / "tiny.ipynb", home / "copy.ipynb")
    done = check(home)
    assert done.exit_code == 2
    assert "holds copy.ipynb, tiny.ipynb: name the file" in said(done)


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("def double(x):\n    raise NotImplementedError()", "Not done yet."),
        ("def double(x:\n    pass", "SyntaxError"),
        ("def double(x):\n    while True: pass", "did not finish within its limit of 2 s"),
        ("def double(x):\n    exit()", "double"),
        ("import os; os._exit(0)", "double"),
    ],
)
def test_one_bad_cell_costs_its_exercise_and_ends_with_one(
    home: Path, source: str, says: str
) -> None:
    done = check(write(home, double=source))
    assert done.exit_code == 1
    assert says in said(done)
    assert "mean_square 6 / 6" in said(done)
    assert "6 of 10 points" in said(done)
