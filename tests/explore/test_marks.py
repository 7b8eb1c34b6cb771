"""Marks and scenes refuse what cannot be drawn, and say what was expected."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.explore import (
    arrow,
    axis,
    bars,
    boxes,
    contours,
    curve,
    edge,
    figure,
    graph,
    heat,
    images,
    node,
    number,
    panel,
    points,
    rule,
    table,
    text,
)

BOX = (0, 1, 0, 1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: curve([1, 2], [1], "model"), "2 values along x, but 1"),
        (lambda: curve([[1]], [[1]], "model"), r"expected shape \(n,\), got \(1, 1\)"),
        (lambda: curve([1], [1], "blue"), "there is no role 'blue'"),
        (lambda: points([1], [1], "data", labels=["a", "b"]), "2 labels for 1 points"),
        (lambda: points([1], [1], "data", shape="star"), "not 'star'"),
        (lambda: rule("data"), "at one x or at one y"),
        (lambda: rule("data", x=1, y=1), "at one x or at one y"),
        (lambda: bars([1, 2], [1, 2], ["data"]), "1 roles for 2 bars"),
        (lambda: boxes([1], [1], [1], [1], ["data", "data"]), "2 roles for 1 boxes"),
        (lambda: arrow((0, 0, 0), (1, 1), "gradient"), "a point is"),
        (lambda: heat([1, 2], BOX), r"shape \(rows, columns\), got \(2,\)"),
        (lambda: heat([[1]], (1, 0, 0, 1)), "extent is"),
        (lambda: heat([[1]], BOX, scale="rainbow"), "no colour scale 'rainbow'"),
        (lambda: heat([[1]], BOX, limits=(1, 1)), "low < high"),
        (lambda: contours([[1, 2]], BOX, [[1]], "loss"), r"levels: expected shape \(n,\)"),
        (lambda: images(np.zeros((2, 8)), columns=2), r"\(n, rows, columns\)"),
        (lambda: images(np.zeros((2, 8, 8)), columns=0), "at least 1"),
        (lambda: images(np.zeros((2, 8, 8)), columns=2, labels=["7"]), "1 labels for 2 images"),
        (lambda: text(0, 0, "x", size=9), "14 at least"),
        (lambda: text(0, 0, "x", anchor="left"), "not 'left'"),
        (lambda: node("a", 0, 0, "a", state="busy"), "not 'busy'"),
        (lambda: graph([node("a", 0, 0, "a")], [edge("a", "b")]), "'b', which is not a node"),
        (lambda: graph([node("a", 0, 0, "a")] * 2, []), "same name"),
        (lambda: table(["a"], [[1, 2]]), "row 0 has 2 cells, the header 1"),
        (lambda: table(["a"], [[1]], highlight=[1]), "no row 1"),
        (lambda: panel(table(["a"], []), text(0, 0, "x")), "a panel of its own"),
        (lambda: panel(x=axis("x")), "both axes"),
        (lambda: figure(words="nothing"), "at least one panel"),
        (lambda: figure(panel(), words=" "), "in words"),
        (lambda: axis("x", 0, 1, log=True), "starts above 0"),
        (lambda: axis("x", 0), "both limits or none"),
        (lambda: axis("x", ticks=[1, 2], tick_labels=["a"]), "as many ticks"),
    ],
)
def test_what_cannot_be_drawn_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_a_panel_holds_only_marks() -> None:
    with pytest.raises(TypeError, match="a panel holds marks"):
        panel([1, 2])  # type: ignore[arg-type]


def test_marks_do_not_change_or_share_what_they_are_given() -> None:
    x = np.arange(3)
    mark = curve(x, x, "model")
    mark["x"][0] = 99
    assert x[0] == 0


@given(st.floats(-1e300, 1e300, allow_subnormal=False), st.integers(2, 8))
def test_a_number_reads_back_to_its_digits(x: float, digits: int) -> None:
    shown = number(x, digits).translate(str.maketrans("−⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "--0123456789"))
    back = float(shown.replace("·10", "e"))
    assert math.isclose(back, x, rel_tol=0.51 * 10 ** (1 - digits))


def test_the_numbers_of_the_lecture_are_written_as_printed() -> None:
    assert number(-0.0169456, 6) == "−0.0169456"
    assert number(152.35, 5) == "152.35"
    assert number(-0.0) == "0"
    assert number(100.0) == "100"
