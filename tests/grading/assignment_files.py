"""The assignments in `solutions/`, as the tests of the grading rules need them."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from course.grading.exercise import ExerciseSet, load_module
from course.grading.misconception import Misconception
from course.grading.results import Cell

ROOT = Path(__file__).resolve().parents[2]
SLUGS = sorted(p.name for p in (ROOT / "solutions").glob("[0-9]*") if p.is_dir())
STYLES = Path(__file__).parent / "styles"
SOLUTION = re.compile(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", re.DOTALL)


class Assignment:
    """One assignment: its notebook, exercises and misconceptions."""

    def __init__(self, slug: str) -> None:
        self.slug = slug
        self.folder = ROOT / "solutions" / slug
        self.released = ROOT / "assignments" / slug
        (self.path,) = self.folder.glob("*.ipynb")
        self.notebook = json.loads(self.path.read_text(encoding="utf-8"))
        self.exercises = ExerciseSet.load(self.folder / "exercises.py")

    @functools.cached_property
    def misconceptions(self) -> list[Misconception]:
        module = load_module(self.folder / "misconceptions.py")
        found: list[Misconception] = []
        for value in vars(module).values():
            values = value if isinstance(value, list | tuple) else [value]
            found += [v for v in values if isinstance(v, Misconception) and v not in found]
        return found

    @property
    def solution(self) -> list[Cell]:
        """The code cells of the solution."""
        return code_cells(self.notebook)

    @property
    def student_notebook(self) -> dict[str, Any]:
        return json.loads((self.released / self.path.name).read_text(encoding="utf-8"))

    def with_mistake(self, mistake: Misconception) -> list[Cell]:
        """The solution with one misconception in it."""
        return [
            Cell(c.grade_id, mistake.apply(c.source)) if c.grade_id == mistake.cell else c
            for c in self.solution
        ]

    def style(self, suffix: str = "") -> list[Cell]:
        """The cells of `styles/<slug><suffix>.py`: the same functions, written differently."""
        text = (STYLES / f"{self.slug}{suffix}.py").read_text(encoding="utf-8")
        _, *parts = re.split(r"^# %% ?(.*)\n", text, flags=re.MULTILINE)
        return [Cell(n.strip() or None, s) for n, s in zip(parts[::2], parts[1::2], strict=True)]

    @property
    def answers(self) -> set[str]:
        """Lines of code that stand between BEGIN SOLUTION and END SOLUTION, and nowhere else."""
        inside: set[str] = set()
        outside = ""
        for cell in self.notebook["cells"]:
            source = "".join(cell["source"])
            for block in SOLUTION.findall(source):
                inside |= {line.split("#")[0].strip() for line in block.splitlines()}
            outside += SOLUTION.sub("", source)
        return {line for line in inside if len(line) >= 12 and line not in outside}


def marks(cell: dict[str, Any]) -> dict[str, Any]:
    """nbgrader's metadata of a cell."""
    return cell["metadata"].get("nbgrader", {})


def code_cells(notebook: dict[str, Any]) -> list[Cell]:
    return [
        Cell(marks(c).get("grade_id"), "".join(c["source"]))
        for c in notebook["cells"]
        if c["cell_type"] == "code"
    ]


def names(cells: list[Cell]) -> SimpleNamespace:
    """What the named cells define, run here: for trusted code only."""
    namespace: dict[str, Any] = {}
    for cell in cells:
        if cell.grade_id and not cell.grade_id.startswith("check-"):
            exec(cell.source, namespace)
    return SimpleNamespace(**namespace)
