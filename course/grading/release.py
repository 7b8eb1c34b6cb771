"""Releasing an assignment: from the instructor's `solutions/NAME/` to the students' `assignments/NAME/`.

nbgrader's own generate step makes the student notebook.  Beside it go `exercises.py` and
`checks.json`: the values that the solution and every misconception give for a public seed, and the
hints.  Nothing is written unless everything has been found in order.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from course.grading.diagnose import judge
from course.grading.misconception import Misconception
from course.grading.notebook import nbgrader_metadata, read_cells, read_notebook
from course.grading.reference import Reference, Solution, SolutionError, compute, quickest
from course.grading.results import Cell, Outcome
from course.grading.run import Run
from course.grading.supervise import run_submission

PUBLIC_SEED = 1
KEPT_BACK = ("misconceptions.py", "__pycache__", ".ipynb_checkpoints")


def release(course_root: Path | str, name: str) -> Path:
    """Make `assignments/NAME/` and return its path; the same sources give the same bytes.

    Raises SolutionError, naming the exercise or misconception, if the solution fails its own
    checks, a stub does anything but raise NotImplementedError, a misconception cannot be told from
    the solution or from another one, or a cell is missing; nothing is changed then.
    """
    root = Path(course_root).resolve()
    solution = Solution.load(root, name)
    verify_cells(solution)
    reference = compute(solution, PUBLIC_SEED)
    verify_solution(solution, reference)
    verify_misconceptions(solution, reference)
    with tempfile.TemporaryDirectory(prefix="course-release-") as scratch:
        made = student_notebook(solution, Path(scratch))
        verify_stubs(solution, read_cells(made))
        folder = made.parent
        (folder / "checks.json").write_text(
            reference.dumps(solution.exercises) + "\n", encoding="utf-8"
        )
        for path in sorted(solution.folder.iterdir()):
            if path.suffix != ".ipynb" and path.name not in KEPT_BACK:
                copy = shutil.copytree if path.is_dir() else shutil.copyfile
                copy(path, folder / path.name)
        target = root / "assignments" / name
        target.parent.mkdir(exist_ok=True)
        if target.exists():
            shutil.rmtree(target)
        shutil.copytree(folder, target, ignore=shutil.ignore_patterns(*KEPT_BACK))
    return target


def verify_cells(solution: Solution) -> None:
    """Every exercise has its solution cell and its check cell, and nothing else is graded."""
    found: dict[str, dict[str, Any]] = {}
    for cell in read_notebook(solution.notebook)["cells"]:
        metadata = nbgrader_metadata(cell)
        grade_id = metadata.get("grade_id")
        if grade_id in found:
            raise SolutionError(f"{solution.notebook.name}: two cells have the id {grade_id!r}")
        if grade_id is not None:
            found[grade_id] = metadata
    for name, exercise in solution.exercises.items():
        if not found.get(name, {}).get("solution"):
            raise SolutionError(f"exercise {name!r} has no solution cell with that grade_id")
        check = found.get(f"check-{name}")
        if check is None or not check.get("grade") or not check.get("locked"):
            raise SolutionError(
                f"exercise {name!r} has no check cell: expected a graded, locked cell with the"
                f" grade_id 'check-{name}'"
            )
        if check.get("points") != exercise.points:
            raise SolutionError(
                f"exercise {name!r} is worth {exercise.points:g} points in exercises.py and"
                f" {check.get('points')} in its check cell"
            )
    for grade_id, metadata in found.items():
        known = grade_id.removeprefix("check-") in solution.exercises
        if metadata.get("grade") and not metadata.get("solution") and not known:
            raise SolutionError(f"the graded cell {grade_id!r} belongs to no exercise")


def run_version(
    solution: Solution, cells: list[Cell], names: Iterable[str] | None = None
) -> dict[str, Run]:
    """Run some version of the notebook on the public inputs of these exercises (of all)."""
    chosen = list(solution.exercises if names is None else names)
    inputs = {name: solution.exercises[name].inputs(PUBLIC_SEED) for name in chosen}
    return run_submission(cells, solution.exercises, inputs, quickest()).runs


def outcomes(
    solution: Solution, cells: list[Cell], reference: Reference, names: Iterable[str] | None = None
) -> dict[str, Outcome]:
    """The outcomes of some version of the notebook, on the public inputs of these exercises."""
    return {
        name: judge(
            solution.exercises[name], reference.expected[name], run, reference.suspects[name]
        )
        for name, run in run_version(solution, cells, names).items()
    }


def verify_solution(solution: Solution, reference: Reference) -> None:
    """The solution gets all points, and is never taken for a misconception."""
    for name, outcome in outcomes(solution, solution.cells, reference).items():
        if outcome.status != "correct":
            raise SolutionError(
                f"exercise {name!r}: the solution fails its own check: {outcome.message}"
            )


def verify_stubs(solution: Solution, cells: list[Cell]) -> None:
    """Untouched, the student notebook gets nothing, because every stub says that it is one."""
    for name, run in run_version(solution, cells).items():
        failure = run.failure
        if failure is None or failure.type != "NotImplementedError":
            done = "it returns values" if failure is None else f"{failure.type}: {failure.message}"
            raise SolutionError(
                f"exercise {name!r}: untouched, it must raise NotImplementedError; instead: {done}"
            )


def verify_misconceptions(solution: Solution, reference: Reference) -> None:
    """Every misconception loses points and is recognised as itself."""

    def judged(misconception: Misconception, changed: list[str]) -> dict[str, Outcome]:
        return outcomes(solution, solution.mistaken(misconception), reference, changed)

    changed = map(solution.reached, solution.misconceptions)
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(judged, solution.misconceptions, list(changed)))
    for misconception, found in zip(solution.misconceptions, results, strict=True):
        lost = {name: o for name, o in found.items() if o.points < o.max_points}
        if not lost:
            raise SolutionError(
                f"misconception {misconception.name!r} gets all points: draw inputs on which it"
                " shows"
            )
        own = lost.get(misconception.cell)
        named = {o.misconception for o in ([own] if own else lost.values())}
        if misconception.name not in named:
            other = ", ".join(sorted(repr(n) for n in named if n)) or "none"
            raise SolutionError(
                f"misconception {misconception.name!r} cannot be told apart: its values in"
                f" {', '.join(lost)} are recognised as {other}"
            )


def student_notebook(solution: Solution, scratch: Path) -> Path:
    """The student version of the notebook, made by nbgrader in a folder of its own."""
    from nbgrader.converters import GenerateAssignment, NbGraderException
    from nbgrader.coursedir import CourseDirectory
    from nbgrader.preprocessors import SaveCells
    from traitlets.config import Config

    name = solution.folder.name
    source = scratch / "source" / name
    source.mkdir(parents=True)
    shutil.copyfile(solution.notebook, source / solution.notebook.name)
    config = Config()
    config.CourseDirectory.root = str(scratch)
    config.CourseDirectory.assignment_id = name
    config.GenerateAssignment.no_database = True  # grading makes the gradebook's entry itself
    config.GenerateAssignment.preprocessors = [
        step for step in GenerateAssignment.preprocessors.default_args[0] if step is not SaveCells
    ]
    log = logging.getLogger("course.release")
    log.setLevel(logging.CRITICAL)
    coursedir = CourseDirectory(config=config, log=log)
    try:
        GenerateAssignment(coursedir=coursedir, config=config, log=log).start()
    except (NbGraderException, SystemExit) as error:
        raise SolutionError(f"nbgrader could not make the student version: {error}") from error
    return scratch / "release" / name / solution.notebook.name
