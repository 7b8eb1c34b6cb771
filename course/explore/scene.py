"""A scene: panels with axes that hold marks, and the state in words. Plain dictionaries."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

Mark = dict[str, Any]
Panel = dict[str, Any]
Scene = dict[str, Any]


def number(x: float, digits: int = 4) -> str:
    """A number for people, to `digits` significant digits; static/format.js does the same.

    >>> number(0.1 + 0.2), number(-2.9625), number(1234567.0), number(3e-7, 2)
    ('0.3', '−2.962', '1.235·10⁶', '3·10⁻⁷')
    """
    x = float(x)
    if math.isnan(x):
        return "not a number"
    if math.isinf(x):
        return "∞" if x > 0 else "−∞"
    if x == 0:
        return "0"
    mantissa, power = f"{abs(x):.{digits - 1}e}".split("e")
    exponent, sign = int(power), "−" if x < 0 else ""
    if -5 < exponent < 6:
        return sign + _trim(f"{abs(x):.{max(0, digits - 1 - exponent)}f}")
    raised = str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{sign}{_trim(mantissa)}·10{raised}"


def _trim(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def figure(*panels: Panel, words: str, idle: Sequence[str] = ()) -> Scene:
    """A scene: panels side by side, and the state in words for those who don't see it.

    `idle` are the labels of controls that change nothing in this state: they are not shown.
    """
    if not panels:
        raise ValueError("a scene needs at least one panel")
    if not words.strip():
        raise ValueError("a scene needs its state in words: figure(..., words='...')")
    return given(panels=list(panels), words=words, idle=list(idle) or None)


def panel(
    *marks: Mark,
    title: str | None = None,
    x: dict[str, Any] | None = None,
    y: dict[str, Any] | None = None,
    height: float = 340,
    weight: float = 1,
    equal: bool = False,
) -> Panel:
    """One picture with its own axes; without `x` and `y` no axes are drawn.

    `height` is in pixels, `weight` the share of the width beside other panels, `equal` gives both
    axes the same scale. A table fills its panel alone.
    """
    for mark in marks:
        if not isinstance(mark, dict) or "mark" not in mark:
            raise TypeError(f"a panel holds marks (curve, points, ...), got {mark!r}")
    if len(marks) > 1 and any(mark["mark"] == "table" for mark in marks):
        raise ValueError("a table needs a panel of its own")
    if (x is None) != (y is None):
        raise ValueError("give a panel both axes, x=axis(...) and y=axis(...), or neither")
    return given(
        title=title, x=x, y=y, height=height, weight=weight, equal=equal or None, marks=list(marks)
    )


def axis(
    label: str,
    low: float | None = None,
    high: float | None = None,
    *,
    log: bool = False,
    ticks: ArrayLike | None = None,
    tick_labels: Sequence[str] | None = None,
) -> dict[str, Any]:
    """An axis: label with its unit, limits (taken from the marks when left out), log scale.

    Fixed limits keep a picture still while a slider moves: prefer them.
    """
    if (low is None) != (high is None):
        raise ValueError(f"axis {label!r}: give both limits or none")
    if low is not None and high is not None:
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ValueError(f"axis {label!r}: limits must be finite and rising: {low}, {high}")
        if log and low <= 0:
            raise ValueError(f"axis {label!r}: a log axis starts above 0, not at {low}")
    where = None if ticks is None else line("ticks", ticks)
    if tick_labels is not None and (where is None or len(where) != len(tick_labels)):
        raise ValueError(f"axis {label!r}: tick_labels needs as many ticks")
    return given(
        label=label,
        limits=None if low is None or high is None else [float(low), float(high)],
        log=log or None,
        ticks=where,
        tick_labels=None if tick_labels is None else [str(t) for t in tick_labels],
    )


def given(**values: Any) -> dict[str, Any]:
    """The arguments that are not None, as a dictionary."""
    return {name: value for name, value in values.items() if value is not None}


def line(what: str, values: ArrayLike) -> np.ndarray:
    """Values (n,) as float64; an error names `what` has another shape."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"{what}: expected shape (n,), got {array.shape}")
    return array
