"""An exercise: what it is called, what it is worth, how its inputs are drawn, how it is driven.

An assignment's `exercises.py` is a list of these and nothing else.  It is released to students and
loaded in three places: at home by `check`, in the grader's trusted process, which draws the inputs,
and in the sandboxed worker, which runs the driver on the student's names.  This file therefore
imports nothing but the standard library and NumPy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

Inputs = dict[str, Any]  # plain values by name: arrays, numbers, strings, lists and dicts of them
Values = dict[str, Any]  # what a driver returns: plain values by name


@dataclass(frozen=True)
class Exercise:
    """One graded task.

    name : also the name the student defines, the `grade_id` of its solution cell, and, after
        `check-`, that of its check cell.
    points : shared evenly among the values the driver returns.
    draw : `draw(rng)` gives the inputs of one case, plain values by name.
    drive : `drive(student, **inputs)` uses the student's names and returns plain values by name.
    cases : how many cases are drawn; a value counts only if it is right in all of them.
    seconds : CPU time allowed for all cases together.
    rtol, atol : tolerances of the comparison.
    """

    name: str
    points: float
    draw: Callable[[np.random.Generator], Inputs]
    drive: Callable[..., Values]
    cases: int = 3
    seconds: float = 5.0
    rtol: float = 1e-6
    atol: float = 1e-9

    def inputs(self, seed: int) -> list[Inputs]:
        """Draw the inputs of every case; the same seed gives the same inputs on every platform."""
        key = int.from_bytes(hashlib.sha256(self.name.encode()).digest()[:8], "little")
        return [self.draw(np.random.default_rng([seed, key, case])) for case in range(self.cases)]


def exercise(
    *,
    points: float,
    draw: Callable[[np.random.Generator], Inputs],
    cases: int = 3,
    seconds: float = 5.0,
    rtol: float = 1e-6,
    atol: float = 1e-9,
) -> Callable[[Callable[..., Values]], Exercise]:
    """Turn a driver into an `Exercise` named after it.

    >>> def numbers(rng):
    ...     return dict(x=rng.standard_normal(5))
    >>> @exercise(points=2, draw=numbers)
    ... def double(student, x):
    ...     return dict(y=student.double(x))
    >>> double.name, double.points
    ('double', 2)
    """
    if not points > 0:
        raise ValueError(f"points must be positive, got {points!r}")

    def decorate(drive: Callable[..., Values]) -> Exercise:
        return Exercise(drive.__name__, points, draw, drive, cases, seconds, rtol, atol)

    return decorate


@dataclass(frozen=True)
class ExerciseSet(Mapping[str, Exercise]):
    """The exercises of one assignment by name, in order."""

    exercises: dict[str, Exercise] = field(default_factory=dict)
    imports: tuple[str, ...] = ("numpy",)  # importable beside the standard library
    source: str = ""  # text of exercises.py, for the worker

    @classmethod
    def load(cls, path: Path | str) -> ExerciseSet:
        """Load `exercises.py`; its optional `IMPORTS` names what student code may import."""
        return cls.of(load_module(Path(path)))

    @classmethod
    def of(cls, module: ModuleType) -> ExerciseSet:
        """The exercises defined in a module made by `module_of`."""
        found = {v.name: v for v in vars(module).values() if isinstance(v, Exercise)}
        names = vars(module)
        return cls(found, tuple(names.get("IMPORTS", ("numpy",))), names.get("__source__", ""))

    def __getitem__(self, name: str) -> Exercise:
        return self.exercises[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.exercises)

    def __len__(self) -> int:
        return len(self.exercises)


def load_module(path: Path) -> ModuleType:
    """Import a trusted file by path, without touching `sys.modules` or writing byte code."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist")
    return module_of(path.read_text(encoding="utf-8"), str(path))


def module_of(source: str, name: str) -> ModuleType:
    """A module made of source text, which it keeps as `__source__`; `name` is for tracebacks."""
    module = ModuleType(Path(name).stem)
    vars(module).update(__file__=name, __source__=source)
    exec(compile(source, name, "exec"), vars(module))
    return module
