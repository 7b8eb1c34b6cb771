"""The reference of an assignment: what the solution, and every misconception, gives for one seed.

Made on the trusted side from `solutions/NAME/`, by running the solution in a worker as if it were a
submission, so that it has exactly the means that a student has.  What is kept are fingerprints of
values, and hints; no code.  `release` stores the reference for the public seed beside the student
notebook, `Grader` keeps the one for the hidden seed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course.grading.diagnose import MISSING, Place, Suspect, departures, value_at
from course.grading.exercise import Exercise, ExerciseSet, load_module
from course.grading.fingerprint import digits_for, from_json, to_json
from course.grading.misconception import Misconception
from course.grading.notebook import read_cells
from course.grading.results import Cell
from course.grading.run import Case, Failure, Run, failure_of

if TYPE_CHECKING:  # a notebook at home reads references and starts no worker
    from course.grading.sandbox import Sandbox
    from course.grading.supervise import Ran

FORMAT = 1  # of the JSON text


class SolutionError(ValueError):
    """The instructor's side of an assignment is not in order; the message names what."""


@dataclass(frozen=True)
class Solution:
    """The instructor's side of an assignment."""

    folder: Path
    notebook: Path
    cells: list[Cell]
    exercises: ExerciseSet
    misconceptions: list[Misconception]

    @classmethod
    def load(cls, course_root: Path | str, name: str) -> Solution:
        """Read `solutions/NAME/`.  Raises SolutionError."""
        folder = Path(course_root) / "solutions" / name
        notebooks = sorted(folder.glob("*.ipynb"))
        if len(notebooks) != 1:
            raise SolutionError(
                f"{folder} must hold one notebook, exercises.py and misconceptions.py;"
                f" it holds {len(notebooks)} notebooks"
            )
        exercises = ExerciseSet.load(folder / "exercises.py")
        if not exercises:
            raise SolutionError(f"{folder / 'exercises.py'} defines no exercise")
        misconceptions = load_misconceptions(folder / "misconceptions.py")
        return cls(folder, notebooks[0], read_cells(notebooks[0]), exercises, misconceptions)

    def mistaken(self, misconception: Misconception) -> list[Cell]:
        """The solution's cells with one of them mistaken.  Raises SolutionError."""
        if misconception.cell not in {cell.grade_id for cell in self.cells}:
            raise SolutionError(
                f"misconception {misconception.name!r} is about the cell {misconception.cell!r},"
                f" and {self.notebook.name} has no solution cell of that name"
            )
        try:
            return [
                Cell(cell.grade_id, misconception.apply(cell.source))
                if cell.grade_id == misconception.cell
                else cell
                for cell in self.cells
            ]
        except ValueError as error:
            raise SolutionError(str(error)) from None

    def reached(self, misconception: Misconception) -> list[str]:
        """The exercises that a misconception can change, in order."""
        at = [cell.grade_id for cell in self.cells].index(misconception.cell)
        sources = [cells[at].source for cells in (self.cells, self.mistaken(misconception))]
        from course.grading.influence import reached

        return reached(self.cells, self.exercises, misconception.cell, sources)


def load_misconceptions(path: Path) -> list[Misconception]:
    """The misconceptions defined in a file, as names or in lists; [] if there is no file."""
    if not path.is_file():
        return []
    found: dict[str, Misconception] = {}
    for value in vars(load_module(path)).values():
        for one in value if isinstance(value, list | tuple) else [value]:
            if isinstance(one, Misconception) and found.setdefault(one.name, one) is not one:
                raise SolutionError(f"{path}: two misconceptions are called {one.name!r}")
    return list(found.values())


@dataclass(frozen=True)
class Reference:
    """Expected runs and suspects by exercise.  Arrays are fingerprints.

    inputs : fingerprints of the inputs of each case, to notice a machine that draws others.
    """

    seed: int
    expected: dict[str, Run]
    suspects: dict[str, list[Suspect]]
    inputs: dict[str, list[Any]] = field(default_factory=dict)

    def drawn_alike(self, exercise: Exercise, inputs: Sequence[Mapping[str, Any]]) -> bool:
        """Whether these inputs are those that the reference was made with."""
        from course.grading.compare import difference

        return difference(self.inputs[exercise.name], list(inputs), 1e-6, 1e-9) is None

    def dumps(self, exercises: ExerciseSet) -> str:
        """As JSON text, the same for the same values; a line for each exercise and suspect."""
        body = {
            "format": FORMAT,
            "seed": self.seed,
            "exercises": {
                name: {
                    "inputs": [to_json(case) for case in self.inputs[name]],
                    "expected": _run_json(run, digits_for(exercises[name].rtol)),
                    "suspects": [
                        _suspect_json(s, digits_for(exercises[name].rtol))
                        for s in self.suspects.get(name, [])
                    ],
                }
                for name, run in self.expected.items()
            },
        }
        return json.dumps(body, separators=(",", ":"), ensure_ascii=False).replace(
            '{"name":', '\n{"name":'
        )

    @classmethod
    def loads(cls, text: str) -> Reference:
        """From the text of `dumps`.  Raises ValueError if it is something else."""
        body = json.loads(text)
        if not isinstance(body, dict) or body.get("format") != FORMAT:
            raise ValueError("the checks were made by another version of the course")
        expected, suspects, inputs = {}, {}, {}
        for name, entry in body["exercises"].items():
            expected[name] = _read_run(entry["expected"])
            suspects[name] = [_read_suspect(s) for s in entry["suspects"]]
            inputs[name] = [from_json(case) for case in entry["inputs"]]
        return cls(body["seed"], expected, suspects, inputs)


def quickest() -> Sandbox:
    """Where the instructor's own code is run: bubblewrap starts workers ten times as fast as none."""
    from course.grading.sandbox import SANDBOXES, why_not

    return SANDBOXES["none" if why_not("bubblewrap") else "bubblewrap"]


def compute(
    solution: Solution, seed: int, sandbox: Sandbox | None = None, workers: int = 2
) -> Reference:
    """Run the solution on the inputs of a seed, and every misconception on those it can change.

    Raises SolutionError if the solution fails an exercise or a cell of its own.
    """
    from concurrent.futures import ThreadPoolExecutor

    from course.grading.supervise import run_submission
    from course.grading.values import Packed

    sandbox = sandbox or quickest()
    exercises = solution.exercises
    inputs = {name: e.inputs(seed) for name, e in exercises.items()}
    packed = {name: Packed(cases) for name, cases in inputs.items()}

    def run(cells: list[Cell], names: Iterable[str]) -> Ran:
        given = {name: packed[name] for name in names}
        return run_submission(cells, exercises, given, sandbox)

    ran = run(solution.cells, exercises)
    for number, failure in ran.cells.items():
        if solution.cells[number].grade_id in exercises:
            raise SolutionError(f"the solution cell {failure.cell!r} failed: {_brief(failure)}")
    for name, one in ran.runs.items():
        if one.failure is not None:
            raise SolutionError(f"exercise {name!r}: the solution failed: {_brief(one.failure)}")
        if not one.cases or not all(case.values for case in one.cases):
            raise SolutionError(f"exercise {name!r}: the driver returned no values")
    mistaken = [solution.mistaken(m) for m in solution.misconceptions]
    changed = [solution.reached(m) for m in solution.misconceptions]
    suspects: dict[str, list[Suspect]] = {name: [] for name in exercises}
    with ThreadPoolExecutor(workers) as pool:
        for misconception, wrong in zip(
            solution.misconceptions, pool.map(run, mistaken, changed), strict=True
        ):
            for name, suspect in _suspects(exercises, ran, wrong, misconception):
                suspects[name].append(suspect)
    reference = Reference(seed, {name: ran.runs[name] for name in exercises}, suspects, inputs)
    return Reference.loads(reference.dumps(exercises))


def _suspects(
    exercises: ExerciseSet, right: Ran, wrong: Ran, misconception: Misconception
) -> list[tuple[str, Suspect]]:
    """What a misconception does to each exercise that it changes."""
    found = []
    for name, run in wrong.runs.items():
        exercise = exercises[name]
        departs: dict[Place, Any] = {}
        if run.failure is None:
            for place in departures(exercise, right.runs[name], run):
                value = value_at(run, place)
                departs[place] = _keep(value, digits_for(exercise.rtol))
        if departs or run.failure is not None:
            m = misconception
            found.append((name, Suspect(m.name, m.cell, m.hint, departs, run.failure)))
    return found


def _keep(value: Any, digits: int) -> Any:
    """A value with fingerprints for arrays, so that hundreds of runs fit into memory."""
    return value if value is MISSING else from_json(to_json(value, digits))


def _brief(failure: Failure) -> str:
    place = f", line {failure.line}" if failure.line else ""
    return f"{failure.type}: {failure.message}{place}"


# ------------------------------------------------------------------------------------ as JSON text


def _run_json(run: Run, digits: int) -> list[Any]:
    return [
        {
            "values": {k: to_json(v, digits) for k, v in case.values.items()},
            "changed": {k: to_json(v, digits) for k, v in case.changed.items()},
        }
        for case in run.cases
    ]


def _read_run(cases: list[Any]) -> Run:
    return Run(
        tuple(
            Case(
                {k: from_json(v) for k, v in case["values"].items()},
                {k: from_json(v) for k, v in case["changed"].items()},
            )
            for case in cases
        )
    )


def _suspect_json(suspect: Suspect, digits: int) -> dict[str, Any]:
    failure = suspect.failure
    return {
        "name": suspect.name,
        "cell": suspect.cell,
        "hint": suspect.hint,
        "departs": [
            [*place] if value is MISSING else [*place, to_json(value, digits)]
            for place, value in suspect.departs.items()
        ],
        **({"failure": _failure_json(failure)} if failure else {}),
    }


def _failure_json(failure: Failure) -> dict[str, Any]:
    """A failure without the line of code in which it happened."""
    return {k: v for k, v in vars(failure).items() if v is not None and k not in ("text", "line")}


def _read_suspect(entry: dict[str, Any]) -> Suspect:
    departs = {
        Place(*place[:3]): from_json(place[3]) if len(place) == 4 else MISSING
        for place in entry["departs"]
    }
    failure = failure_of(entry["failure"]) if "failure" in entry else None
    return Suspect(entry["name"], entry["cell"], entry["hint"], departs, failure)
