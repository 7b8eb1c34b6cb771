"""A notebook is read at home as it is read for grading: by grade_id, in order, without the checks."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from course.grading.notebook import code_cells
from course.grading.template import rebuild


def solution(name: str, source: str) -> dict[str, Any]:
    marks = {"grade_id": name, "solution": True, "grade": False, "locked": False}
    return cell(source, marks | {"schema_version": 3, "task": False})


def cell(source: str, marks: dict[str, Any] | None = None) -> dict[str, Any]:
    metadata = {"nbgrader": marks} if marks else {}
    return {
        "cell_type": "code", "source": source, "metadata": metadata,
        "outputs": [], "execution_count": None,
    }  # fmt: skip


def notebook(*cells: dict[str, Any]) -> dict[str, Any]:
    return {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": list(cells)}


STUB = "def f():\n    raise NotImplementedError()"
RELEASED = notebook(solution("f", STUB), solution("g", STUB.replace("f", "g", 1)))


@given(st.lists(st.sampled_from(["f", "g", None]), min_size=1, max_size=6))
def test_split_cells_run_in_order_and_the_last_stands_for_the_exercise(names: list) -> None:
    cells = [
        solution(name, f"step = {i}") if name else cell(f"step = {i}")
        for i, name in enumerate(names)
    ]
    at_home = code_cells(notebook(*cells))
    assert [c.source for c in at_home] == [f"step = {i}" for i in range(len(names))]
    for name in {"f", "g"} & set(names):
        last = max(i for i, n in enumerate(names) if n == name)
        assert [i for i, c in enumerate(at_home) if c.grade_id == name] == [last]


def test_what_stands_for_an_exercise_is_the_same_when_graded() -> None:
    handed_in = notebook(
        solution("f", "a = 1"), cell("b = 2"), solution("f", "def f():\n    return a + b"),
        solution("g", "def g():\n    return 3"),
    )  # fmt: skip
    graded = rebuild(RELEASED, json.dumps(handed_in).encode()).cells
    named = {c.grade_id: c.source for c in graded if c.grade_id}
    assert named == {c.grade_id: c.source for c in code_cells(handed_in) if c.grade_id}
