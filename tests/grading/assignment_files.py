"""The assignments in `solutions/`, as the tests of the grading rules need them."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from course.grading.notebook import read_cells, read_notebook
from course.grading.reference import Solution
from course.grading.results import Cell

ROOT = Path(__file__).resolve().parents[2]
SLUGS = sorted(p.name for p in (ROOT / "solutions").glob("[0-9]*") if p.is_dir())
STYLES = Path(__file__).parent / "styles"
ANSWER = re.compile(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", re.DOTALL)


class Assignment:
    """One assignment: the instructor's side, and the student copy."""

    def __init__(self, slug: str) -> None:
        self.slug = slug
        self.solution = Solution.load(ROOT, slug)
        self.exercises = self.solution.exercises
        self.misconceptions = self.solution.misconceptions
        self.notebook = read_notebook(self.solution.notebook)
        self.released = ROOT / "assignments" / slug

    @property
    def student_notebook(self) -> dict[str, Any]:
        return read_notebook(self.released / self.solution.notebook.name)

    @property
    def untouched(self) -> list[Cell]:
        """The code cells of the student copy."""
        return read_cells(self.released / self.solution.notebook.name)

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
            for block in ANSWER.findall(source):
                inside |= {line.split("#")[0].strip() for line in block.splitlines()}
            outside += ANSWER.sub("", source)
        return {line for line in inside if len(line) >= 12 and line not in outside}


def names(cells: list[Cell]) -> SimpleNamespace:
    """What the solution cells define, run here: for trusted code only."""
    namespace: dict[str, Any] = {"np": np}
    for cell in cells:
        if cell.grade_id:
            exec(cell.source, namespace)
    return SimpleNamespace(**namespace)
