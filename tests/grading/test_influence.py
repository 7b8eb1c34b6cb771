"""Which exercises a mistake can change: never too few."""

from __future__ import annotations

import pytest
from assignment_files import SLUGS, Assignment

from course.grading import influence, reference
from course.grading.exercise import ExerciseSet, module_of
from course.grading.influence import reached
from course.grading.results import Cell

EXERCISES = """
from course.grading.exercise import exercise

def numbers(rng):
    return dict(x=rng.standard_normal(3))

@exercise(points=1, draw=numbers)
def one(student, x):
    return dict(y=student.one(x))

@exercise(points=1, draw=numbers)
def two(student, x):
    return dict(y=student.two(x))

@exercise(points=1, draw=numbers)
def three(student, x):
    return dict(y=student.three(x), z=student.Layer(x))
"""
LAYER = "class Layer:\n    def __init__(self, x):\n        self.x = x"


def exercise_set(source: str = EXERCISES) -> ExerciseSet:
    return ExerciseSet.of(module_of(source, "exercises.py"))


def changed(cells: dict[str, str], wrong: str, source: str = EXERCISES) -> list[str]:
    """What a wrong text of the cell `one` can change."""
    listed = [Cell(name if not name.startswith("_") else None, s) for name, s in cells.items()]
    return reached(listed, exercise_set(source), "one", [cells["one"], wrong])


PLAIN = {
    "_setup": "import numpy as np",
    "one": "def one(x):\n    y = 2 * x\n    return y",
    "two": "def two(x):\n    y = x\n    return y",
    "three": "def three(x):\n    return two(x)",
    "Layer": LAYER,
}


@pytest.mark.parametrize(
    ("cells", "wrong", "expected"),
    [
        ({}, "def one(x):\n    y = 3 * x\n    return y", ["one"]),
        ({"two": "def two(x):\n    return one(x)"}, "def one(x): return x", ["one", "two", "three"]),
        ({"_more": "half = one"}, "def one(x): return x", ["one"]),
        ({"_more": "half = one", "two": "def two(x): return half(x)"}, "def one(x): return x",
         ["one", "two", "three"]),
        ({}, "def one(x):\n    Layer.x = x\n    return x", ["one", "three"]),
        ({}, "def one(x):\n    np.pi = 3\n    return x", ["one"]),
        ({"two": "def two(x): return np.pi"}, "def one(x):\n    np.pi = 3",
         ["one", "two", "three"]),
        ({}, "def one(x):\n    global two\n    two = one", ["one", "two", "three"]),
        ({"_cache": "cache = {}", "two": "def two(x): return cache"},
         "def one(x):\n    return cache.setdefault('x', x)", ["one", "two", "three"]),
    ],
)  # fmt: skip
def test_a_cell_reaches_what_mentions_its_names_and_what_it_writes_to(
    cells: dict[str, str], wrong: str, expected: list[str]
) -> None:
    assert changed(PLAIN | cells, wrong) == expected


@pytest.mark.parametrize(
    "wrong",
    [
        "def one(x):\n    globals()['two'] = one",
        "def one(x):\n    return np.random.standard_normal(3)",
        "from random import random\ndef one(x): return random()",
        "def one(x):\n    setattr(Layer, 'x', x)",
        "def one(x):\n    np.seterr(all='raise')",
        "def one(x) return",
    ],
)
def test_code_that_can_reach_beyond_its_names_reaches_everything(wrong: str) -> None:
    assert changed(PLAIN, wrong) == ["one", "two", "three"]


def test_a_cell_that_looks_names_up_is_reached_by_everything() -> None:
    cells = PLAIN | {"two": "def two(x):\n    return globals()['o' + 'ne'](x)"}
    assert changed(cells, "def one(x): return x") == ["one", "two", "three"]


def test_where_a_driver_hands_the_students_names_on_every_exercise_is_reached() -> None:
    handed = EXERCISES.replace("student.two(x)", "helper(student, x)")
    handed += "\ndef helper(names, x):\n    return names.one(x)\n"
    assert changed(PLAIN, "def one(x): return x", handed) == ["one", "two", "three"]


@pytest.mark.slow
@pytest.mark.sandbox
@pytest.mark.parametrize("slug", SLUGS)
def test_the_reference_is_what_running_every_exercise_would_give(
    slug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    solution = Assignment(slug).solution
    quick = reference.compute(solution, 5)
    monkeypatch.setattr(influence, "reached", lambda cells, exercises, *_: list(exercises))
    whole = reference.compute(solution, 5)
    assert quick.dumps(solution.exercises) == whole.dumps(solution.exercises)
