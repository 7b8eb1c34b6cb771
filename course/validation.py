"""Checks of array arguments: what was wrong, what was expected, what to do.

Every model file turns its arguments into arrays here, once, at its door. Float32 stays float32,
everything else becomes float64; NaN, infinity, empty data and wrong shapes are refused.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def floats(name: str, value: Any, ndim: int | None = None, *, finite: bool = True) -> Array:
    """Return `value` as a float array with `ndim` axes; float32 stays float32.

    Raises
    ------
    TypeError : `value` does not hold numbers.
    ValueError : wrong number of axes, no entries, NaN or infinite entries.

    >>> floats("X", [[1, 2]], ndim=2)
    array([[1., 2.]])
    >>> floats("X", [1, 2], ndim=2)
    Traceback (most recent call last):
        ...
    ValueError: X must have 2 axes, got shape (2,)
    """
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold real numbers, got dtype {array.dtype}")
    if array.dtype != np.float32:
        array = array.astype(np.float64, copy=False)
    if ndim is not None and array.ndim != ndim:
        axes = "1 axis" if ndim == 1 else f"{ndim} axes"
        raise ValueError(f"{name} must have {axes}, got shape {array.shape}")
    if array.size == 0:
        raise ValueError(f"{name} is empty: shape {array.shape}, expected at least one entry")
    if finite and not np.isfinite(array).all():
        bad = np.argwhere(~np.isfinite(array))[0].tolist()
        raise ValueError(f"{name} has NaN or infinite entries, the first at index {bad}")
    return array


def number(name: str, value: Any) -> float:
    """Return a finite real number as a float."""
    array = floats(name, value)
    if array.size != 1:
        raise ValueError(f"{name} must be one number, got shape {array.shape}")
    return float(array.reshape(()))


def whole(name: str, value: Any, low: int) -> int:
    """Return a whole number that is at least `low`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be a whole number, got {value!r}")
    if value < low:
        raise ValueError(f"{name} must be at least {low}, got {value}")
    return int(value)


def labels(name: str, value: Any, n_classes: int | None = None) -> NDArray[np.intp]:
    """Return class numbers (N,) as integers, each in 0..n_classes-1.

    >>> labels("y", [0, 2], n_classes=2)
    Traceback (most recent call last):
        ...
    ValueError: y must hold class numbers 0..1, got 2
    """
    array = floats(name, value, ndim=1)
    whole_numbers = array.astype(np.intp)
    if (whole_numbers != array).any():
        wrong = array[whole_numbers != array][0]
        raise ValueError(f"{name} must hold whole class numbers, got {wrong}")
    top = np.inf if n_classes is None else n_classes - 1
    outside = whole_numbers[(whole_numbers < 0) | (whole_numbers > top)]
    if outside.size:
        span = "0, 1, 2, …" if n_classes is None else f"0..{n_classes - 1}"
        raise ValueError(f"{name} must hold class numbers {span}, got {outside[0]}")
    return whole_numbers


def same_rows(name_a: str, a: Array, name_b: str, b: Array) -> None:
    """Raise a ValueError naming both shapes unless `a` and `b` have as many rows."""
    if len(a) != len(b):
        raise ValueError(
            f"{name_a} has shape {a.shape} and {name_b} has shape {b.shape}: "
            f"expected as many rows in both, got {len(a)} and {len(b)}"
        )


def same_shape(name_a: str, a: Array, name_b: str, b: Array) -> None:
    """Raise a ValueError naming both shapes unless they are equal (no silent broadcasting)."""
    if a.shape != b.shape:
        raise ValueError(
            f"{name_a} has shape {a.shape} and {name_b} has shape {b.shape}: "
            "expected the same shape"
        )


def affine_inputs(X: Any, W: Any, b: Any, *, columns: bool = False) -> tuple[Array, Array, Array]:
    """Return `X` (N, D), `W` and `b` ready for `X @ W + b`.

    One unit has `W` (D,) and one number `b`; a layer (`columns=True`) has `W` (D, K), `b` (K,).
    """
    name, ndim = ("W", 2) if columns else ("w", 1)
    X, W, b = floats("X", X, 2), floats(name, W, ndim), floats("b", b)
    if X.shape[1] != W.shape[0]:
        raise ValueError(
            f"X has shape {X.shape} and {name} has shape {W.shape}: "
            f"expected one weight per column of X, {X.shape[1]} rows in {name}"
        )
    wanted = W.shape[1:]
    if b.shape != wanted:
        expected = f"shape {wanted}" if columns else "one number"
        raise ValueError(f"b has shape {b.shape} beside {name} {W.shape}: expected {expected}")
    return X, W, b.astype(np.result_type(X, W), copy=False)
