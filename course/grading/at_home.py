"""Checking one's own work: `check` in a notebook, `check_file` for a whole notebook file.

Both compare with the values in `checks.json`, which lies beside the assignment's notebook; they need
no network, no sandbox and no account, and hold no answer that could be read out of them as code.
"""

from __future__ import annotations

import html
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course.grading.diagnose import judge
from course.grading.execute import drive
from course.grading.exercise import ExerciseSet
from course.grading.reference import Reference
from course.grading.results import Outcome, Result

MARKS = {  # status -> mark, colour
    "correct": ("✓", "#2da44e"),
    "partly": ("◐", "#bf8700"),
    "wrong": ("✗", "#e5534b"),
    "not done": ("○", "#8b949e"),
    "error": ("!", "#e5534b"),
    "limit": ("!", "#e5534b"),
}


class ChecksMissing(FileNotFoundError):
    """There are no checks to compare with; the message says where they were looked for."""


@dataclass(frozen=True)
class Checked:
    """What `check` returns: an outcome that a notebook and a terminal can show."""

    outcome: Outcome

    @property
    def ok(self) -> bool:
        """Whether everything is right."""
        return self.outcome.status == "correct"

    def __bool__(self) -> bool:
        return self.ok

    def _title(self) -> str:
        outcome = self.outcome
        return f"{outcome.exercise}: {outcome.points:.4g} of {outcome.max_points:g} points"

    def __repr__(self) -> str:
        mark, _ = MARKS[self.outcome.status]
        return f"{mark} {self._title()}\n{self.outcome.message}"

    def _repr_html_(self) -> str:
        mark, colour = MARKS[self.outcome.status]
        lines = [
            re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(line))
            for line in self.outcome.message.split("\n")
        ]
        body = "".join(f'<div style="margin-top:0.25em">{line}</div>' for line in lines)
        return (
            f'<div style="border-left:4px solid {colour};padding:0.2em 0.9em;max-width:48em;'
            'line-height:1.45">'
            f'<div><strong><span style="color:{colour}">{mark}</span> {html.escape(self._title())}'
            f"</strong></div>{body}</div>"
        )


def check(name: str, namespace: Mapping[str, Any] | None = None) -> Checked:
    """Check one exercise of the assignment in the current folder.

    name : the exercise, which is also the name that it asks you to define.
    namespace : where to look for your names; by default where `check` is called.

    Returns what is right, what is not, and a hint if the mistake is a known one; never raises for
    wrong work.  Raises ValueError if there is no such exercise, ChecksMissing if the current folder
    holds no assignment.
    """
    if namespace is None:
        namespace = sys._getframe(1).f_globals
    exercises, reference = load(Path.cwd())
    if name not in exercises:
        raise ValueError(f"there is no exercise {name!r} here; there are: {', '.join(exercises)}")
    exercise = exercises[name]
    inputs = exercise.inputs(reference.seed)
    if not reference.drawn_alike(exercise, inputs):
        return Checked(Outcome(name, 0.0, exercise.points, "error", drawn_otherwise()))
    run = drive(exercise, namespace, inputs)
    return Checked(
        judge(
            exercise,
            reference.expected[name],
            run,
            reference.suspects[name],
            inputs=inputs,
            reveal=True,
        )
    )


def check_file(path: Path | str) -> Result:
    """Check every exercise of a notebook file, in a process of its own.

    path : the notebook, or the folder of an assignment that holds no other notebook.

    The cells are run from top to bottom in an empty namespace, with the limits of grading: what
    passes here passes there.  Where there is a sandbox it is used; otherwise the notebook, which is
    one's own, runs in a plain process with limits, and a note says so.
    """
    from course.grading.grader import failures_by_id
    from course.grading.notebook import NotebookError, read_cells
    from course.grading.sandbox import SandboxUnavailable, find
    from course.grading.supervise import run_submission

    notes: tuple[str, ...] = ()
    try:
        path = the_notebook(Path(path))
        cells = read_cells(path)
        exercises, reference = load(assignment_folder(path.resolve().parent))
    except (ChecksMissing, NotebookError) as error:
        return Result(reason=str(error))
    try:
        sandbox = find("auto")
    except SandboxUnavailable:
        sandbox = find("none")
        notes = ("There is no sandbox here, so your code ran as an ordinary program.",)
    inputs = {e.name: e.inputs(reference.seed) for e in exercises.values()}
    if not all(reference.drawn_alike(exercises[name], inputs[name]) for name in exercises):
        return Result(reason=drawn_otherwise())
    ran = run_submission(cells, exercises, inputs, sandbox)
    outcomes = {
        name: judge(
            exercise,
            reference.expected[name],
            ran.runs[name],
            reference.suspects[name],
            cells=failures_by_id(cells, ran),
            inputs=inputs[name],
            reveal=True,
        )
        for name, exercise in exercises.items()
    }
    ours = any(cell.grade_id in exercises for cell in cells)
    if not ours and all(outcome.status == "not done" for outcome in outcomes.values()):
        return Result(
            reason=f"{path.name} has no cell for any exercise of this folder"
            f" ({', '.join(exercises)}): is it the notebook of another assignment?"
        )
    return Result(outcomes, notes=notes)


def the_notebook(path: Path) -> Path:
    """The notebook that is meant by a file or a folder.  Raises NotebookError."""
    from course.grading.notebook import NotebookError

    if path.is_dir():
        found = sorted(path.glob("*.ipynb"))
        if len(found) != 1:
            names = ", ".join(file.name for file in found) or "none"
            raise NotebookError(
                f"{path} should hold one notebook, and holds {names}: name the file"
            )
        return found[0]
    if path.suffix != ".ipynb":
        raise NotebookError(
            f"{path.name} is no notebook and cannot be read as one: name the .ipynb file"
        )
    return path


def assignment_folder(folder: Path) -> Path:
    """Where the assignment's files are: beside the notebook.

    For a submission (`submitted/STUDENT/NAME`) they are those that were released: what a student
    handed in beside the notebook is not run here.
    """
    if folder.parent.parent.name == "submitted":
        released = folder.parent.parent.parent / "assignments" / folder.name
        if released.is_dir():
            return released
    return folder


def exercises_file(folder: Path) -> Path:
    """The exercises of the assignment in a folder.  Raises ChecksMissing."""
    path = folder / "exercises.py"
    if not path.is_file():
        raise ChecksMissing(
            f"{folder} holds no exercises.py: keep the assignment's files together, and start the"
            " notebook in their folder"
        )
    return path


def load(folder: Path) -> tuple[ExerciseSet, Reference]:
    """The exercises and checks of the assignment in a folder.

    An instructor's folder solutions/NAME has its checks in assignments/NAME.
    """
    exercises = ExerciseSet.load(exercises_file(folder))
    for place in (folder, folder.parent.parent / "assignments" / folder.name):
        if (place / "checks.json").is_file():
            try:
                text = (place / "checks.json").read_text(encoding="utf-8")
                reference = Reference.loads(text)
            except (ValueError, KeyError, TypeError) as error:
                reason = "damaged" if isinstance(error, json.JSONDecodeError) else str(error)
                raise ChecksMissing(
                    f"{place / 'checks.json'} cannot be used ({reason}): get the assignment's files"
                    " again"
                ) from None
            return exercises, reference
    raise ChecksMissing(
        f"{folder} holds no checks.json: keep the assignment's files together"
        " (instructors: run course release first)"
    )


def drawn_otherwise() -> str:
    """What to say when the inputs drawn here are not those that the checks were made with."""
    import numpy as np

    return (
        f"Your version of NumPy ({np.__version__}) draws other random numbers than the one that the"
        " checks were made with, so your values cannot be compared here. Your work is not at fault;"
        " it is graded with the right version. Install the course's tested version, or tell your"
        " instructor."
    )
