"""A course with one assignment of two exercises and one answer in words, and a class of fakes."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from course.grading.results import Cell, Outcome, Result

NAME = "00-tiny"

EXERCISES = """
from course.grading.exercise import exercise


def numbers(rng):
    return dict(x=rng.standard_normal(50))


@exercise(points=4, draw=numbers, seconds=2)
def double(student, x):
    return dict(y=student.double(x))


@exercise(points=6, draw=numbers, seconds=2)
def mean_square(student, x):
    return dict(m=student.mean_square(x), n=student.mean_square(2 * x))
"""

MISCONCEPTIONS = """
from course.grading.misconception import Misconception

misconceptions = [
    Misconception("sum, not mean", "mean_square", "Your value grows with the number of samples.",
                  {"np.mean": "np.sum"}),
    Misconception("squared, not doubled", "double", "Your value is never negative.",
                  {"2 * x": "x * x"}),
]
"""

SOLUTIONS = {
    "double": "def double(x):\n    return 2 * x",
    "mean_square": "def mean_square(x):\n    return float(np.mean(x**2))",
}


def marks(grade_id: str, **flags: Any) -> dict[str, Any]:
    return {
        "nbgrader": {
            "grade": False, "solution": False, "locked": False, "task": False,
            "schema_version": 3, "grade_id": grade_id, **flags,
        }
    }  # fmt: skip


def code(cell_id: str, source: str, metadata: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "cell_type": "code", "id": cell_id, "metadata": metadata or {}, "source": source,
        "outputs": [], "execution_count": None,
    }  # fmt: skip


def words(cell_id: str, source: str, metadata: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": cell_id, "metadata": metadata or {}, "source": source}


def source_notebook() -> dict[str, Any]:
    cells = [
        words("title", "# Tiny\nTwo exercises. <details>More</details>"),
        code(
            "imports",
            "import numpy as np\nfrom course.grading import check",
            marks("imports", locked=True),
        ),
    ]
    for name, text in SOLUTIONS.items():
        head, body = text.split("\n", 1)
        solution = f"{head}\n    ### BEGIN SOLUTION\n{body}\n    ### END SOLUTION"
        points = {"double": 4, "mean_square": 6}[name]
        cells += [
            words(f"about-{name}", f"## {name}\nWrite it."),
            code(f"s-{name}", solution, marks(name, solution=True)),
            code(
                f"c-{name}",
                f'check("{name}")',
                marks(f"check-{name}", grade=True, locked=True, points=points),
            ),
        ]
    cells += [
        code("play", "print(np.arange(3))"),
        words("why", "Why?", marks("why", grade=True, solution=True, points=2)),
    ]
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    return {
        "cells": cells,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def make(root: Path) -> Path:
    """Write the course and release its assignment with nbgrader's own step."""
    from nbgrader.converters import GenerateAssignment

    from course.grading.gradebook import course_directory

    folder = root / "solutions" / NAME
    folder.mkdir(parents=True)
    (folder / "tiny.ipynb").write_text(json.dumps(source_notebook()))
    (folder / "exercises.py").write_text(EXERCISES)
    (folder / "misconceptions.py").write_text(MISCONCEPTIONS)
    coursedir, config = course_directory(root)
    coursedir.assignment_id = NAME
    GenerateAssignment(coursedir=coursedir, config=config, log=coursedir.log).start()
    return root


def released(root: Path) -> dict[str, Any]:
    return json.loads((root / "assignments" / NAME / "tiny.ipynb").read_text())


def solved(notebook: dict[str, Any], **sources: str) -> dict[str, Any]:
    """A student's copy with these texts in its solution cells (the right ones by default)."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if name in SOLUTIONS:
            cell["source"] = sources.get(name, SOLUTIONS[name])
    return notebook


def hand_in(root: Path, student: str, notebook: Any, file: str = "tiny.ipynb") -> Path:
    """Put a file (a notebook, text or bytes) where submissions lie."""
    path = root / "submitted" / student / NAME / file
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(notebook, bytes):
        path.write_bytes(notebook)
    else:
        path.write_text(notebook if isinstance(notebook, str) else json.dumps(notebook))
    return path


class TrustingGrader:
    """Stands for `Grader` where a test is not about running code: compares texts."""

    def grade(self, cells: Sequence[Cell]) -> Result:
        texts = {cell.grade_id: cell.source for cell in cells}
        outcomes = {}
        for name, worth in (("double", 4.0), ("mean_square", 6.0)):
            right = texts.get(name) == SOLUTIONS[name]
            status = "correct" if right else "wrong"
            message = "Right." if right else "Not <b>right</b>."
            outcomes[name] = Outcome(name, worth if right else 0.0, worth, status, message)
        return Result(outcomes)
