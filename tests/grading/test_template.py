"""A submission is rebuilt from the released notebook, whatever its file holds."""

from __future__ import annotations

import copy
import itertools
import json
import os
from pathlib import Path
from typing import Any

import nbformat
import pytest
import tiny_course
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_course import SOLUTIONS, code, marks, solved, words

from course.grading.results import Cell
from course.grading.template import (
    MAX_SOURCE,
    Rebuilt,
    Unreadable,
    inert_markdown,
    read_bytes,
    rebuild,
)


def released_stub() -> dict[str, Any]:
    """The released notebook, made here so that property tests need no fixture."""
    notebook = tiny_course.source_notebook()
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("solution") and cell["cell_type"] == "code":
            cell["source"] = cell["source"].split("\n")[0] + "\n    raise NotImplementedError()"
    return notebook


RELEASED = released_stub()


def put_together(notebook: Any) -> Rebuilt:
    return rebuild(RELEASED, json.dumps(notebook).encode())


def cell_named(notebook: dict[str, Any], name: str) -> dict[str, Any]:
    return next(
        c for c in notebook["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == name
    )


def graded_code(rebuilt: Rebuilt) -> dict[str | None, str]:
    return {cell.grade_id: cell.source for cell in rebuilt.cells if cell.grade_id}


def without(notebook: dict[str, Any], *names: str) -> dict[str, Any]:
    notebook = copy.deepcopy(notebook)
    gone = [cell_named(notebook, name) for name in names]
    notebook["cells"] = [cell for cell in notebook["cells"] if cell not in gone]
    return notebook


def test_the_students_solution_cells_are_taken_and_nothing_is_remarked() -> None:
    rebuilt = put_together(solved(RELEASED))
    assert graded_code(rebuilt) == SOLUTIONS
    assert rebuilt.notes == ()
    assert rebuilt.reason is None


def test_the_released_notebook_comes_back_as_it_was() -> None:
    rebuilt = put_together(RELEASED)
    assert rebuilt.notebook == RELEASED
    assert rebuilt.notes == ()


def test_check_cells_are_not_run_and_set_up_is() -> None:
    sources = [cell.source for cell in put_together(solved(RELEASED)).cells]
    assert not any(source.startswith("check(") for source in sources)
    assert sources[0].startswith("import numpy as np")


def test_a_changed_check_cell_is_restored_and_noted() -> None:
    notebook = solved(RELEASED)
    cell_named(notebook, "check-double")["source"] = "4"
    rebuilt = put_together(notebook)
    assert cell_named(rebuilt.notebook, "check-double")["source"] == 'check("double")'
    assert any("check-double" in note and "restored" in note for note in rebuilt.notes)


@pytest.mark.parametrize(
    "flags", [{"points": 1e9}, {"grade": False}, {"solution": True}, {"locked": False}]
)
def test_flipped_flags_are_ignored_and_noted(flags: dict[str, Any]) -> None:
    notebook = solved(RELEASED)
    cell_named(notebook, "check-double")["metadata"]["nbgrader"].update(flags)
    rebuilt = put_together(notebook)
    assert cell_named(rebuilt.notebook, "check-double") == cell_named(RELEASED, "check-double")
    assert any("check-double" in note for note in rebuilt.notes)


def test_a_deleted_check_cell_is_put_back_and_noted() -> None:
    rebuilt = put_together(without(solved(RELEASED), "check-double", "check-mean_square"))
    names = [c["metadata"].get("nbgrader", {}).get("grade_id") for c in rebuilt.notebook["cells"]]
    assert names == [c["metadata"].get("nbgrader", {}).get("grade_id") for c in RELEASED["cells"]]
    assert "Missing cells" in rebuilt.notes[0]


def test_a_deleted_solution_cell_is_shown_as_the_stub_and_not_run() -> None:
    rebuilt = put_together(without(solved(RELEASED), "double"))
    assert cell_named(rebuilt.notebook, "double") == cell_named(RELEASED, "double")
    assert "double" not in graded_code(rebuilt)


def test_a_solution_written_into_a_new_cell_is_not_undone_by_the_stub() -> None:
    notebook = without(solved(RELEASED), "double")
    notebook["cells"].insert(3, code("new", SOLUTIONS["double"]))
    runs = [cell.source for cell in put_together(notebook).cells]
    assert SOLUTIONS["double"] in runs
    assert not any("NotImplementedError" in source for source in runs)


def test_the_halves_of_a_split_cell_run_in_order_and_the_last_stands_for_the_exercise() -> None:
    notebook = solved(RELEASED, double="def double(x):\n    return helper(x)")
    first = copy.deepcopy(cell_named(notebook, "double"))
    first.update(id="half", source="def helper(x):\n    return 2 * x")
    notebook["cells"].insert(notebook["cells"].index(cell_named(notebook, "double")), first)
    rebuilt = put_together(notebook)
    halves = [cell for cell in rebuilt.cells if "helper" in cell.source]
    assert halves == [
        Cell(None, "def helper(x):\n    return 2 * x"),
        Cell("double", "def double(x):\n    return helper(x)"),
    ]
    assert any("more than once" in note for note in rebuilt.notes)


def test_a_copy_of_the_untouched_stub_does_not_undo_a_solution() -> None:
    notebook = solved(RELEASED)
    notebook["cells"].append(copy.deepcopy(cell_named(RELEASED, "double")))
    assert graded_code(put_together(notebook))["double"] == SOLUTIONS["double"]


def test_a_solution_cell_that_lost_its_metadata_is_found_by_its_id() -> None:
    notebook = solved(RELEASED)
    for cell in notebook["cells"]:
        cell["metadata"] = {}
    assert graded_code(put_together(notebook)) == SOLUTIONS


def test_a_notebook_that_lost_its_cell_ids_is_recognised() -> None:
    notebook = solved(RELEASED)
    for cell in notebook["cells"]:
        del cell["id"]
    notebook["nbformat_minor"] = 2
    rebuilt = put_together(notebook)
    assert graded_code(rebuilt) == SOLUTIONS
    assert len(rebuilt.notebook["cells"]) == len(RELEASED["cells"])


def test_a_code_cell_turned_into_markdown_is_code_again() -> None:
    notebook = solved(RELEASED)
    cell = cell_named(notebook, "double")
    cell.update(cell_type="markdown")
    assert graded_code(put_together(notebook))["double"] == SOLUTIONS["double"]


def test_added_cells_keep_their_place() -> None:
    notebook = solved(RELEASED)
    place = notebook["cells"].index(cell_named(notebook, "mean_square"))
    notebook["cells"].insert(place, code("mine", "factor = 2"))
    notebook["cells"].insert(0, words("note", "My notes"))
    rebuilt = put_together(notebook)
    sources = [cell["source"] for cell in rebuilt.notebook["cells"]]
    assert sources[0] == "My notes"
    assert sources.index("factor = 2") == sources.index(SOLUTIONS["mean_square"]) - 1
    assert Cell(None, "factor = 2") in rebuilt.cells


def test_an_unlocked_cell_belongs_to_the_student() -> None:
    notebook = solved(RELEASED)
    next(c for c in notebook["cells"] if c["id"] == "play")["source"] = "print(double(7))"
    rebuilt = put_together(notebook)
    assert Cell(None, "print(double(7))") in rebuilt.cells
    assert len(rebuilt.notebook["cells"]) == len(RELEASED["cells"])


def test_outputs_metadata_and_kernels_of_the_file_are_left_behind() -> None:
    notebook = solved(RELEASED)
    notebook["metadata"] = {"kernelspec": {"name": "evil"}, "course": {"result": {}}}
    for cell in notebook["cells"]:
        cell["metadata"]["evil"] = True
        if cell["cell_type"] == "code":
            cell["outputs"] = [{"output_type": "execute_result", "data": {"text/plain": "NaN"}}]
    assert "evil" not in json.dumps(put_together(notebook).notebook)
    assert "NaN" not in json.dumps(put_together(notebook).notebook)


def test_a_cell_too_long_or_without_text_is_left_out_and_noted() -> None:
    notebook = solved(RELEASED)
    notebook["cells"].append(code("long", "#" * (MAX_SOURCE + 1)))
    notebook["cells"].append({"cell_type": "code", "metadata": {}, "source": {"a": 1}})
    assert put_together(notebook).notes == (
        "2 cells could not be read (no text, or more than 200000 characters) and were left out.",
    )


def test_the_old_notebook_format_with_worksheets_is_read() -> None:
    cells = [
        {"cell_type": "code", "input": cell["source"], "metadata": cell["metadata"]}
        for cell in solved(RELEASED)["cells"]
    ]
    rebuilt = put_together({"nbformat": 3, "worksheets": [{"cells": cells}]})
    assert graded_code(rebuilt) == SOLUTIONS


def test_the_old_schema_of_nbgrader_is_read() -> None:
    notebook = solved(RELEASED)
    cell_named(notebook, "double")["metadata"]["nbgrader"] = {
        "grade_id": "double", "solution": True, "schema_version": 1,
    }  # fmt: skip
    assert graded_code(put_together(notebook)) == SOLUTIONS


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "damaged"),
        (b'{"cells": [', "damaged"),
        (b"[" * 100_000, "damaged"),
        (b'{"cells": [{"source": ' + b"9" * 10_000 + b"}]}", "damaged"),
        (b"[]", "no list of cells"),
        (b'{"cells": 3}', "no list of cells"),
        (b'{"cells": []}', "no cells"),
        (b'{"cells": [1, null, "x"]}', "no cells"),
        (b'{"cells": [' + b"{}," * 2001 + b"{}]}", "more than 2000 cells"),
    ],
    ids=lambda value: value[:20].decode() if isinstance(value, bytes) else None,
)
def test_a_file_that_is_no_notebook_has_a_reason(raw: bytes, said: str) -> None:
    rebuilt = rebuild(RELEASED, raw)
    assert said in (rebuilt.reason or "")
    assert rebuilt.notebook == RELEASED
    assert rebuilt.cells == ()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_other_encodings_are_read(encoding: str) -> None:
    notebook = solved(RELEASED, double="# Zürich\n" + SOLUTIONS["double"])
    rebuilt = rebuild(RELEASED, json.dumps(notebook, ensure_ascii=False).encode(encoding))
    assert graded_code(rebuilt)["double"].endswith(SOLUTIONS["double"])


def test_links_pipes_and_large_files_are_refused(tmp_path: Path) -> None:
    secret = tmp_path / "solution.ipynb"
    secret.write_text("{}")
    link, pipe = tmp_path / "link.ipynb", tmp_path / "pipe.ipynb"
    link.symlink_to(secret)
    os.mkfifo(pipe)
    for path, said in [(link, "link"), (pipe, "regular"), (tmp_path, "regular|opened")]:
        with pytest.raises(Unreadable, match=said):
            read_bytes(path)
    with pytest.raises(Unreadable, match="larger than"):
        read_bytes(secret, limit=1)
    with pytest.raises(Unreadable, match="no file"):
        read_bytes(tmp_path / "nothing.ipynb")


PICTURE = {"image/png": "iVBORw0KGgo="}


def test_a_picture_of_ones_own_stays_and_others_become_links() -> None:
    notebook = solved(RELEASED)
    cell_named(notebook, "why").update(
        source="![a](attachment:a.png) ![b](attachment:b.png) ![c](https://example.org/c.png)",
        attachments={"a.png": PICTURE, "b.png": {"image/svg+xml": "<svg onload=x>"}},
    )
    cell = cell_named(put_together(notebook).notebook, "why")
    assert cell["attachments"] == {"a.png": PICTURE}
    assert cell["source"].startswith("![a](attachment:a.png) [b](attachment:b.png) [c](https")


@given(st.text(alphabet="<>!/[]( a", max_size=12))
def test_inert_markdown_opens_no_tag(text: str) -> None:
    inert = inert_markdown(text)
    assert not any(a == "<" and (b.isalpha() or b in "/!?") for a, b in itertools.pairwise(inert))
    assert "![" not in inert


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
grade_ids = st.sampled_from(["double", "mean_square", "check-double", "imports", "why", "other"])
flags = st.dictionaries(
    st.sampled_from(["grade", "solution", "locked", "points", "schema_version"]), json_values
)
fuzzed_cells = st.fixed_dictionaries(
    {},
    optional={
        "cell_type": st.sampled_from(["code", "markdown", "raw"]) | json_values,
        "source": st.text(max_size=30) | st.lists(st.text(max_size=5)) | json_values,
        "id": st.sampled_from([c["id"] for c in RELEASED["cells"]]) | json_values,
        "metadata": st.builds(
            lambda name, more: {"nbgrader": {**more, "grade_id": name}}, grade_ids, flags
        )
        | json_values,
        "attachments": json_values,
        "outputs": json_values,
    },
)


def is_whole(rebuilt: Rebuilt) -> None:
    """What holds for every rebuilt submission."""
    nbformat.validate(nbformat.from_dict(rebuilt.notebook))
    ids = [cell["id"] for cell in rebuilt.notebook["cells"]]
    assert len(set(ids)) == len(ids)
    for cell in RELEASED["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if name:
            ours = cell_named(rebuilt.notebook, name)
            assert ours["metadata"]["nbgrader"] == cell["metadata"]["nbgrader"]
            if not cell["metadata"]["nbgrader"]["solution"]:
                assert ours == cell
    json.dumps(rebuilt.notebook).encode()
    assert all(isinstance(cell.source, str) for cell in rebuilt.cells)


@settings(max_examples=150)
@given(st.lists(fuzzed_cells | json_values, max_size=8), st.dictionaries(st.text(), json_values))
def test_any_cells_give_a_whole_notebook(cells: list[Any], more: dict[str, Any]) -> None:
    is_whole(put_together({**more, "cells": cells}))


@settings(max_examples=100)
@given(st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_give_a_whole_notebook(raw: bytes) -> None:
    is_whole(rebuild(RELEASED, raw))


@settings(max_examples=50)
@given(st.data())
def test_a_damaged_file_gives_a_whole_notebook(data: st.DataObject) -> None:
    raw = bytearray(json.dumps(solved(RELEASED)).encode())
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, len(raw) - 1))
        raw[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    is_whole(rebuild(RELEASED, bytes(raw)))


def test_marks_without_flags_are_the_students_own_cell() -> None:
    notebook = solved(RELEASED)
    notebook["cells"].append(code("mine", "x = 1", marks("mine")))
    assert Cell(None, "x = 1") in put_together(notebook).cells
