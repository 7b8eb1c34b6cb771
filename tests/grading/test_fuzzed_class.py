"""Fuzzed notebooks in a class: none stops the batch, earns what it did not, or costs another student."""

from __future__ import annotations

import copy
import html
import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nbgrader.api import Gradebook
from test_template import flags, fuzzed_cells, grade_ids, json_values
from tiny_course import NAME, SOLUTIONS, code, hand_in, released, solved

from course.grading.gradebook import course_directory, feedback_pages, grade_class
from course.grading.results import Result
from course.grading.template import rebuild

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # nbgrader's own
Draw = Callable[[st.SearchStrategy[Any]], Any]

WRONG = {name: f"{text} + 1  # π, “nearly”" for name, text in SOLUTIONS.items()}


def cells_of(notebook: Any) -> list[Any]:
    """The list of cells, or one that is thrown away if there is none any more."""
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    return cells if isinstance(cells, list) else []


def structure(draw: Draw, notebook: Any) -> None:
    """Something, somewhere in the JSON, is another thing, or gone."""
    node = notebook
    while isinstance(node, dict | list) and node:
        key = draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
        inner = node[key]
        if not isinstance(inner, dict | list) or not inner or draw(st.integers(0, 3)) == 0:
            if draw(st.booleans()):
                node[key] = draw(json_values)
            else:
                del node[key]
            return
        node = inner


def metadata(draw: Draw, notebook: Any) -> None:
    """A cell says that it is another one, graded, worth more, unlocked."""
    cells = [cell for cell in cells_of(notebook) if isinstance(cell, dict)]
    if cells:
        cell = draw(st.sampled_from(cells))
        claimed = {"points": draw(st.sampled_from([1e9, -1, "4", None, [4]]))}
        marks = {**claimed, **draw(flags), "grade_id": draw(grade_ids)}
        cell["metadata"] = draw(st.just({"nbgrader": marks}) | json_values)


def order(draw: Draw, notebook: Any) -> None:
    """Cells change places, come twice, are missing."""
    cells = cells_of(notebook)
    cells[:] = draw(st.permutations(cells))[: draw(st.integers(0, len(cells)))] + draw(
        st.lists(st.sampled_from(cells), max_size=3) if cells else st.just([])
    )


def more_cells(draw: Draw, notebook: Any) -> None:
    """Cells that no program wrote."""
    cells_of(notebook).extend(draw(st.lists(fuzzed_cells | json_values, max_size=3)))


def sizes(draw: Draw, notebook: Any) -> None:
    """Something is as large as it may be, or larger."""
    cells = [cell for cell in cells_of(notebook) if isinstance(cell, dict)]
    many = draw(st.sampled_from([1_999, 2_100]))
    match draw(st.sampled_from(["source", "lines", "cells", "picture", "outputs"])):
        case "cells":
            cells_of(notebook).extend(code("n", "x = 1") for _ in range(many))
        case "source" if cells:
            draw(st.sampled_from(cells))["source"] = "#" * draw(st.sampled_from([199_999, 200_001]))
        case "lines" if cells:
            draw(st.sampled_from(cells))["source"] = ["y = 1\n"] * (20 * many)
        case "picture" if cells:
            picture = {"a.png": {"image/png": "A" * 3_000_000}}
            draw(st.sampled_from(cells))["attachments"] = picture
        case "outputs" if cells:
            draw(st.sampled_from(cells))["outputs"] = ["x" * 1000] * many


def encoded(draw: Draw, notebook: Any) -> bytes:
    """The file: in some encoding, perhaps cut, padded, or with bytes that were hit on the way."""
    text = json.dumps(notebook, ensure_ascii=draw(st.booleans()))
    encoding = draw(
        st.sampled_from(
            ["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252", "utf-16-be", "utf-32"]
        )
    )
    harm = draw(st.sampled_from(["none"] * 5 + ["hit", "cut", "padded", "nested"]))
    if harm == "nested":
        text = "[" * 100_000 + text + "]" * 100_000
    raw = bytearray(text.encode(encoding, "replace"))
    if harm == "hit":
        for _ in range(draw(st.integers(1, 4))):
            place = draw(st.integers(0, len(raw)))
            raw[place : place + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    elif harm == "cut":
        del raw[draw(st.integers(0, len(raw))) :]
    elif harm == "padded":
        raw += b" " * 10_000_001
    return bytes(raw)


@st.composite
def fuzzed(draw: Draw, notebook: dict[str, Any]) -> bytes:
    """A student's file that started as this notebook."""
    notebook = copy.deepcopy(notebook)
    ways = [structure, metadata, order, more_cells, sizes]
    for way in draw(st.lists(st.sampled_from(ways), max_size=4)):
        way(draw, notebook)
    return encoded(draw, notebook)


def batch(data: st.DataObject, root: Path, most: int) -> dict[str, Result]:
    """Hand in fuzzed files beside honest work, grade all, and look at what must hold for all."""
    shutil.rmtree(root / "submitted", ignore_errors=True)
    right, wrong = solved(released(root)), solved(released(root), **WRONG)
    files = {f"fuzzed-{i}": data.draw(fuzzed(wrong)) for i in range(most)}
    files |= {f"shaken-{i}": data.draw(fuzzed(right)) for i in range(most)}
    for student, raw in files.items():
        hand_in(root, student, raw)
    for student in ("ada", "zoe"):  # the first and the last of the batch
        hand_in(root, student, right)
    results = grade_class(root, NAME)
    assert list(results) == sorted([*files, "ada", "zoe"])
    with Gradebook(course_directory(root)[0].db_url) as gradebook:
        recorded = {s.student.id: s.score for s in gradebook.assignment_submissions(NAME)}
    for student, result in results.items():
        assert recorded[student] == result.points
        assert [(o.exercise, o.max_points) for o in result.outcomes.values()] == [
            ("double", 4), ("mean_square", 6),
        ]  # fmt: skip
        assert all(o.points in (0, o.max_points) for o in result.outcomes.values())
        (page,) = feedback_pages(root, NAME, student)
        said = page.read_text(encoding="utf-8")
        assert f"{result.points:g} / 12 points" in said
        reasons = [result.reason] if result.reason is not None else []
        for words in (*reasons, *result.notes):
            assert words in html.unescape(said)
        if student.startswith("fuzzed"):
            assert result.points == 0
        if result.reason is not None:
            assert result.points == 0
    assert results["ada"].points == results["zoe"].points == 10
    assert results["ada"].notes == results["zoe"].notes == ()
    return results


QUICK = settings(
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large,
        HealthCheck.large_base_example,
    ],
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.usefixtures("trusting")
@settings(QUICK, max_examples=20)
@given(st.data())
def test_fuzzed_files_stop_no_batch_and_cost_nobody_anything(
    tiny: Path, data: st.DataObject
) -> None:
    batch(data, tiny, 3)


@pytest.mark.slow
@pytest.mark.sandbox
@settings(QUICK, max_examples=3)
@given(st.data())
def test_fuzzed_files_earn_nothing_where_their_code_is_really_run(
    tiny: Path, data: st.DataObject
) -> None:
    batch(data, tiny, 3)


def test_the_fuzz_leaves_some_files_readable_and_breaks_others(tiny: Path) -> None:
    seen: Counter[str] = Counter()

    @settings(QUICK, max_examples=100, database=None)
    @given(fuzzed(solved(released(tiny))))
    def look(raw: bytes) -> None:
        rebuilt = rebuild(released(tiny), raw)
        seen["broken" if rebuilt.reason else "readable"] += 1
        texts = {cell.grade_id: cell.source for cell in rebuilt.cells}
        seen["still right"] += all(texts.get(name) == text for name, text in SOLUTIONS.items())

    look()
    assert min(seen[word] for word in ("broken", "readable", "still right")) >= 5, seen
