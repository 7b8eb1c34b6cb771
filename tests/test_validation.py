"""Arguments are refused with the name, what was wrong and what was expected."""

from __future__ import annotations

import numpy as np
import pytest

from course import validation as v


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (
            [[1.0, np.nan]],
            ValueError,
            r"X has NaN or infinite entries, the first at index \[0, 1\]",
        ),
        ([[np.inf]], ValueError, "X has NaN or infinite"),
        (np.zeros((0, 3)), ValueError, r"X is empty: shape \(0, 3\)"),
        ([1.0, 2.0], ValueError, r"X must have 2 axes, got shape \(2,\)"),
        ([["a"]], TypeError, "X must hold real numbers"),
        ([[1j]], TypeError, "X must hold real numbers, got dtype complex128"),
    ],
)
def test_bad_arrays_are_refused_by_name(value, error, message) -> None:
    with pytest.raises(error, match=message):
        v.floats("X", value, 2)


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [("f4", "f4"), ("f8", "f8"), ("i4", "f8"), ("?", "f8"), ("f2", "f8")],
)
def test_float32_stays_and_everything_else_becomes_float64(dtype, expected) -> None:
    assert v.floats("X", np.ones(3, dtype)).dtype == expected


def test_a_float_array_is_not_copied() -> None:
    X = np.ones((2, 2))
    assert v.floats("X", X) is X


@pytest.mark.parametrize(
    ("y", "message"),
    [([0, 3], "0..2, got 3"), ([-1, 0], "0..2, got -1"), ([0.5], "whole class numbers, got 0.5")],
)
def test_labels_out_of_range_are_refused(y, message) -> None:
    with pytest.raises(ValueError, match=message):
        v.labels("y", y, 3)


def test_a_wrong_inner_size_names_both_shapes() -> None:
    with pytest.raises(ValueError, match=r"X has shape \(5, 3\) and w has shape \(2,\)"):
        v.affine_inputs(np.ones((5, 3)), np.ones(2), 0.0)
    with pytest.raises(ValueError, match=r"X has shape \(5, 3\) and W has shape \(2, 4\)"):
        v.affine_inputs(np.ones((5, 3)), np.ones((2, 4)), np.zeros(4), columns=True)
    with pytest.raises(ValueError, match=r"b has shape \(3,\) beside W \(3, 4\): expected shape"):
        v.affine_inputs(np.ones((5, 3)), np.ones((3, 4)), np.zeros(3), columns=True)
    with pytest.raises(ValueError, match=r"b has shape \(5,\) beside w \(3,\): expected one num"):
        v.affine_inputs(np.ones((5, 3)), np.ones(3), np.zeros(5))


def test_a_python_bias_does_not_widen_float32() -> None:
    X, w, b = v.affine_inputs(np.ones((2, 3), "f4"), np.ones(3, "f4"), 0.5)
    assert (X @ w + b).dtype == np.float32


@pytest.mark.parametrize("value", [1.0, True, "3", None])
def test_a_count_must_be_a_whole_number(value) -> None:
    with pytest.raises(TypeError, match="D must be a whole number"):
        v.whole("D", value, 1)


def test_a_count_below_its_least_value_is_refused() -> None:
    with pytest.raises(ValueError, match="D must be at least 1, got 0"):
        v.whole("D", 0, 1)
    assert v.whole("D", np.int64(3), 1) == 3


def test_a_number_must_be_one_number() -> None:
    with pytest.raises(ValueError, match=r"lr must be one number, got shape \(2,\)"):
        v.number("lr", [1.0, 2.0])
    assert v.number("lr", np.array([0.5])) == 0.5
