"""The house: floors, sizes and manners that every file keeps."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "course"
FILES = sorted(PACKAGE.rglob("*.py"))

# Each room and the rooms of the package it may import from: those on lower floors.
MODELS = {
    "validation",
    "formulas",
    "threshold",
    "perceptron",
    "linear",
    "discriminant",
    "logistic",
    "softmax",
}
LIBRARY = MODELS | {"autodiff", "nn", "optim", "data", "estimators"}
MAY_IMPORT = {
    **dict.fromkeys(MODELS, MODELS),
    "autodiff": MODELS,
    "nn": MODELS | {"autodiff"},
    "optim": MODELS | {"autodiff"},
    "data": MODELS,
    "estimators": LIBRARY,
    "typeset": set(),
    "explore": LIBRARY | {"typeset"},
    "grading": LIBRARY | {"typeset"},
    "doctor": LIBRARY | {"grading", "explore"},
    "command": set(),
    "office": {"grading", "command"},
    "cli": LIBRARY | {"grading", "explore", "doctor", "command", "office"},
    "__init__": set(),
    "__main__": {"cli"},
}
UNIX = ("fcntl", "resource")  # modules
HEAVY = {"matplotlib", "sklearn", "ipywidgets", "anywidget", "nbgrader", "nbformat", "nbconvert"}


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module]
            if node.module == "course":
                names = [f"course.{alias.name}" for alias in node.names]
        rooms |= {name.split(".")[1] for name in names if name.startswith("course.")}
    return rooms - {"__version__"}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_file_imports_only_from_floors_below(path: Path) -> None:
    here = room(path)
    assert imported_rooms(path) - {here} <= MAY_IMPORT[here]


def test_no_file_is_longer_than_a_sitting() -> None:
    long = {str(p): n for p in FILES if (n := len(p.read_text("utf-8").splitlines())) > 400}
    assert long == {}


@pytest.mark.parametrize("module", ["course", "course.autodiff", "course.nn", "course.optim"])
def test_the_lower_floors_import_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print(*{{m.split('.')[0] for m in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) & HEAVY == set()


@pytest.mark.parametrize("module", ["cli", "grading.at_home", "grading.grader", "grading.release"])
def test_students_on_windows_can_check_and_instructors_release(module: str) -> None:
    """Windows has none of these modules; a stand-in for a machine with it."""
    code = f"import sys; sys.modules |= dict.fromkeys({UNIX}); import course.{module}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_checking_at_home_starts_no_worker() -> None:
    code = "import sys, course.grading.at_home; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    trusted = {f"course.grading.{name}" for name in ("sandbox", "supervise", "gradebook")}
    assert set(done.stdout.split()) & trusted == set()


def test_every_public_thing_has_a_docstring() -> None:
    bare = []
    for path in FILES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        definitions = [n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)]
        for node in definitions:
            if not node.name.startswith("_") and ast.get_docstring(node) is None:
                bare.append(f"{path.relative_to(ROOT)}: {node.name}")
    assert bare == []
