"""The marks a scene may draw: plain dictionaries, checked when they are made.

A scene is `figure(panel(mark, mark, ...), ..., words="...")`. The functions below are the whole
vocabulary; the renderer (static/draw.js), the matplotlib picture (picture.py) and the JavaScript
twins use the same names and the same dictionaries, with the key `mark` for the kind of mark.
Coordinates are in the units of the panel's axes. NaN makes a gap in a curve.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from course.explore.palette import ROLES, SCALES
from course.explore.scene import Mark, given, line, number

STATES = ("done", "current", "waiting")


def curve(
    x: ArrayLike,
    y: ArrayLike,
    role: str,
    *,
    label: str | None = None,
    dash: bool = False,
    width: float = 3,
    dots: bool = False,
) -> Mark:
    """A line through (x, y), each (n,); `dots` marks its points; the label stands at its end."""
    x, y = _pair("curve", x, y)
    return given(
        mark="curve", x=x, y=y, role=_role(role), label=label, dash=dash or None,
        width=width, dots=dots or None,
    )  # fmt: skip


def points(
    x: ArrayLike,
    y: ArrayLike,
    role: str,
    *,
    label: str | None = None,
    labels: Sequence[str] | None = None,
    size: float = 9,
    shape: str = "circle",
) -> Mark:
    """Dots at (x, y), each (n,); `label` names them all, `labels` each; `size` in pixels."""
    x, y = _pair("points", x, y)
    if shape not in ("circle", "square", "ring"):
        raise ValueError(f"points are 'circle', 'square' or 'ring', not {shape!r}")
    if labels is not None and len(labels) != len(x):
        raise ValueError(f"points: {len(labels)} labels for {len(x)} points")
    return given(
        mark="points", x=x, y=y, role=_role(role), label=label,
        labels=None if labels is None else [str(t) for t in labels], size=size, shape=shape,
    )  # fmt: skip


def arrow(
    start: Sequence[float], end: Sequence[float], role: str, *, label: str | None = None
) -> Mark:
    """An arrow from `start` (x, y) to `end` (x, y)."""
    return given(mark="arrow", start=_point(start), end=_point(end), role=_role(role), label=label)


def rule(
    role: str, *, x: float | None = None, y: float | None = None, label: str | None = None,
    dash: bool = True,
) -> Mark:  # fmt: skip
    """A line right across the panel, at one `x` or at one `y`."""
    if (x is None) == (y is None):
        raise ValueError("a rule stands at one x or at one y")
    return given(
        mark="rule", x=None if x is None else float(x), y=None if y is None else float(y),
        role=_role(role), label=label, dash=dash,
    )  # fmt: skip


def band(x: ArrayLike, low: ArrayLike, high: ArrayLike, role: str) -> Mark:
    """The area between two curves over the same x, each (n,)."""
    x, low = _pair("band", x, low)
    return dict(mark="band", x=x, low=low, high=_pair("band", x, high)[1], role=_role(role))


def bars(
    x: ArrayLike,
    height: ArrayLike,
    role: str | Sequence[str],
    *,
    width: float = 0.8,
    labels: Sequence[str] | None = None,
) -> Mark:
    """Bars of `height` (n,) from 0 at `x` (n,); one role for all or one each.

    A histogram is bars at the centres of the bins, as wide as a bin. `labels` stand on the bars.
    """
    x, height = _pair("bars", x, height)
    if not isinstance(role, str) and len(role) != len(x):
        raise ValueError(f"bars: {len(role)} roles for {len(x)} bars")
    if labels is not None and len(labels) != len(x):
        raise ValueError(f"bars: {len(labels)} labels for {len(x)} bars")
    return given(
        mark="bars", x=x, height=height, width=float(width),
        role=_role(role) if isinstance(role, str) else [_role(r) for r in role],
        labels=None if labels is None else [str(t) for t in labels],
    )  # fmt: skip


def heat(
    values: ArrayLike,
    extent: Sequence[float],
    *,
    scale: str = "sequential",
    limits: Sequence[float] | None = None,
    smooth: bool = True,
    opacity: float = 1,
) -> Mark:
    """Values (rows, columns) as colours over `extent` (x0, x1, y0, y1); row 0 lies at y0.

    `limits` are the values of the two ends of the colour scale.
    """
    return given(
        mark="heat", values=_grid("heat", values), extent=_extent(extent), scale=_scale(scale),
        limits=_limits(limits), smooth=smooth, opacity=opacity,
    )  # fmt: skip


def contours(
    values: ArrayLike, extent: Sequence[float], levels: ArrayLike, role: str, *, width: float = 1.5
) -> Mark:
    """Lines of equal value through `values` (rows, columns) at `levels`; row 0 lies at y0.

    The first and last columns and rows lie on the edges of `extent`.
    """
    return dict(
        mark="contours", values=_grid("contours", values), extent=_extent(extent),
        levels=line("levels", levels), role=_role(role), width=width,
    )  # fmt: skip


def image(
    values: ArrayLike,
    extent: Sequence[float],
    *,
    scale: str = "grey",
    limits: Sequence[float] | None = None,
) -> Mark:
    """A picture of values (rows, columns), sharp pixels; row 0 is on top, at y1 of `extent`."""
    return given(
        mark="image", values=_grid("image", values), extent=_extent(extent), scale=_scale(scale),
        limits=_limits(limits),
    )  # fmt: skip


def images(
    values: ArrayLike,
    *,
    columns: int,
    labels: Sequence[str] | None = None,
    roles: Sequence[str] | None = None,
    scale: str = "paper",
    limits: Sequence[float] | None = None,
) -> Mark:
    """A grid of pictures (n, rows, columns of pixels), `columns` to a line, for a panel without axes.

    `labels` stand below each; `roles` colour frame and label.
    """
    array = np.asarray(values)
    if array.ndim != 3 or not array.size:
        raise ValueError(f"images: expected values of shape (n, rows, columns), got {array.shape}")
    for name, each in (("labels", labels), ("roles", roles)):
        if each is not None and len(each) != len(array):
            raise ValueError(f"images: {len(each)} {name} for {len(array)} images")
    if columns < 1:
        raise ValueError(f"images: columns must be at least 1, got {columns}")
    return given(
        mark="images", values=array, columns=int(columns), scale=_scale(scale),
        labels=None if labels is None else [str(t) for t in labels],
        roles=None if roles is None else [_role(r) for r in roles], limits=_limits(limits),
    )  # fmt: skip


def boxes(
    x: ArrayLike,
    y: ArrayLike,
    width: ArrayLike,
    height: ArrayLike,
    role: str | Sequence[str],
    *,
    labels: Sequence[str] | None = None,
) -> Mark:
    """Rectangles with lower left corners (x, y), each (n,), and a label inside: shapes of arrays."""
    x, y = _pair("boxes", x, y)
    if labels is not None and len(labels) != len(x):
        raise ValueError(f"boxes: {len(labels)} labels for {len(x)} boxes")
    if not isinstance(role, str) and len(role) != len(x):
        raise ValueError(f"boxes: {len(role)} roles for {len(x)} boxes")
    return given(
        mark="boxes", x=x, y=y, width=_pair("boxes", x, width)[1],
        height=_pair("boxes", x, height)[1],
        role=_role(role) if isinstance(role, str) else [_role(r) for r in role],
        labels=None if labels is None else [str(t) for t in labels],
    )  # fmt: skip


def text(
    x: float, y: float, content: str, role: str = "ink", *, anchor: str = "middle", size: float = 16
) -> Mark:
    """Words at (x, y); `anchor` is 'start', 'middle' or 'end'; `size` in pixels, 14 at least."""
    if anchor not in ("start", "middle", "end"):
        raise ValueError(f"text is anchored at 'start', 'middle' or 'end', not {anchor!r}")
    if size < 14:
        raise ValueError(f"text of {size} px cannot be read from the back of the room: 14 at least")
    return dict(
        mark="text", x=float(x), y=float(y), text=str(content), role=_role(role), anchor=anchor,
        size=size,
    )  # fmt: skip


def node(
    name: str,
    x: float,
    y: float,
    label: str,
    *,
    value: str | None = None,
    gradient: str | None = None,
    state: str = "done",
    role: str = "ink",
) -> dict[str, Any]:
    """A node of a `graph`: `label` is its operation or name; value and gradient are texts.

    `state` is 'done', 'current' (framed) or 'waiting' (stands back).
    """
    if state not in STATES:
        raise ValueError(f"node {name!r}: state is one of {STATES}, not {state!r}")
    return given(
        name=name, x=float(x), y=float(y), label=str(label), value=value, gradient=gradient,
        state=state, role=_role(role),
    )  # fmt: skip


def edge(
    source: str,
    target: str,
    *,
    label: str | None = None,
    state: str = "done",
    backward: bool = False,
) -> dict[str, Any]:
    """An edge of a `graph`, from node to node; `backward` draws a message against it."""
    if state not in STATES:
        raise ValueError(f"edge {source!r} → {target!r}: state is one of {STATES}, not {state!r}")
    return given(source=source, target=target, label=label, state=state, backward=backward or None)


def graph(nodes: Sequence[dict[str, Any]], edges: Sequence[dict[str, Any]]) -> Mark:
    """A computational graph of `node(...)` and `edge(...)`, inputs on the left."""
    names = {each["name"] for each in nodes}
    if len(names) != len(nodes):
        raise ValueError("graph: two nodes have the same name")
    for each in edges:
        for end in (each["source"], each["target"]):
            if end not in names:
                raise ValueError(f"graph: an edge ends at {end!r}, which is not a node")
    return dict(mark="graph", nodes=list(nodes), edges=list(edges))


def table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str | float]],
    *,
    highlight: Sequence[int] = (),
    roles: Sequence[str] | None = None,
) -> Mark:
    """A table with a header; numbers are shown to 6 digits; `highlight` lists rows that matter now.

    `roles` colours the columns. It fills its panel alone.
    """
    for i, row in enumerate(rows):
        if len(row) != len(columns):
            raise ValueError(f"table: row {i} has {len(row)} cells, the header {len(columns)}")
    for i in highlight:
        if not 0 <= i < len(rows):
            raise ValueError(f"table: there is no row {i} to highlight ({len(rows)} rows)")
    if roles is not None and len(roles) != len(columns):
        raise ValueError(f"table: {len(roles)} roles for {len(columns)} columns")
    cells = [[c if isinstance(c, str) else number(c, 6) for c in row] for row in rows]
    return given(
        mark="table", columns=[str(c) for c in columns], rows=cells,
        highlight=[int(i) for i in highlight],
        roles=None if roles is None else [_role(r) for r in roles],
    )  # fmt: skip


def _role(role: str) -> str:
    if role not in ROLES:
        raise ValueError(f"there is no role {role!r}; the roles are {', '.join(ROLES)}")
    return role


def _scale(scale: str) -> str:
    if scale not in SCALES:
        raise ValueError(f"there is no colour scale {scale!r}; there are {', '.join(SCALES)}")
    return scale


def _pair(what: str, x: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    first, second = line(what, x), line(what, y)
    if len(first) != len(second):
        raise ValueError(f"{what}: {len(first)} values along x, but {len(second)} beside them")
    return first, second


def _grid(what: str, values: ArrayLike) -> np.ndarray:
    array = np.asarray(values)
    if array.dtype != np.uint8:
        array = array.astype(np.float64 if array.dtype != np.float32 else np.float32, copy=False)
    if array.ndim != 2 or not array.size:
        raise ValueError(f"{what}: expected values of shape (rows, columns), got {array.shape}")
    return array


def _point(point: Sequence[float]) -> list[float]:
    if len(point) != 2:
        raise ValueError(f"a point is (x, y), got {point!r}")
    return [float(point[0]), float(point[1])]


def _extent(extent: Sequence[float]) -> list[float]:
    values = [float(v) for v in extent]
    if len(values) != 4 or values[0] >= values[1] or values[2] >= values[3]:
        raise ValueError(f"extent is (x0, x1, y0, y1) with x0 < x1 and y0 < y1, got {extent!r}")
    return values


def _limits(limits: Sequence[float] | None) -> list[float] | None:
    if limits is None:
        return None
    low, high = (float(v) for v in limits)
    if not low < high:
        raise ValueError(f"limits are (low, high) with low < high, got {limits!r}")
    return [low, high]
