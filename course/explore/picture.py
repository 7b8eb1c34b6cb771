"""A scene as a still picture, for places without JavaScript: print, slides, GitHub, noscript.

matplotlib draws the same marks in the same colours; alt text is the scene's `words`.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from course.explore.palette import SCALES, colour
from course.explore.scene import Mark, Panel, Scene, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 80
LABEL = "label"  # the group of the direct labels
WIDTH = 10.0  # inches; 800 px, the width of a page's text
LETTERS = 110  # of 11 points to a line of a table as wide as the page


def draw(scene: Scene) -> Figure:
    """The scene as a matplotlib figure (without pyplot, so nothing is left behind)."""
    from matplotlib.figure import Figure

    rows: list[list[Panel]] = [[]]
    for panel in scene["panels"]:
        if len(rows[-1]) == 3 or sum(p["weight"] for p in rows[-1]) + panel["weight"] > 3:
            rows.append([])
        rows[-1].append(panel)
    heights = [max(p["height"] for p in row) / DPI for row in rows]
    figure = Figure(figsize=(WIDTH, sum(heights)), dpi=DPI, layout="constrained")
    figure.set_facecolor(colour("background"))
    lines = figure.subfigures(len(rows), 1, height_ratios=heights, squeeze=False)[:, 0]
    for row, line in zip(rows, lines, strict=True):
        axes = line.subplots(1, len(row), width_ratios=[p["weight"] for p in row], squeeze=False)[0]
        for panel, ax in zip(row, axes, strict=True):
            _draw_panel(ax, panel)
    _part_labels(figure)
    return figure


def png(scene: Scene) -> bytes:
    """The scene as a PNG file."""
    buffer = BytesIO()
    draw(scene).savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return buffer.getvalue()


def _draw_panel(ax: Axes, panel: Panel) -> None:
    for mark in panel["marks"]:
        _MARKS[mark["mark"]](ax, mark)
    if "title" in panel:
        ax.set_title(panel["title"], loc="left", fontsize=13, fontweight="bold")
    if "x" not in panel:
        ax.set_axis_off()
        ax.margins(0.15)
    else:
        for axis, set_label, set_limits, set_scale, set_ticks in (
            (panel["x"], ax.set_xlabel, ax.set_xlim, ax.set_xscale, ax.set_xticks),
            (panel["y"], ax.set_ylabel, ax.set_ylim, ax.set_yscale, ax.set_yticks),
        ):
            set_label(axis["label"], fontsize=12)
            if "log" in axis:
                set_scale("log")
            if "ticks" in axis:
                set_ticks(
                    axis["ticks"], axis.get("tick_labels", [number(t) for t in axis["ticks"]])
                )
                set_ticks([], minor=True)
            if "limits" in axis:
                set_limits(*axis["limits"])
        ax.tick_params(labelsize=11)
        ax.spines[["top", "right"]].set_visible(False)
        if not any(m["mark"] in ("heat", "image") for m in panel["marks"]):
            ax.grid(color=colour("grid"))
            ax.set_axisbelow(True)
    if panel.get("equal"):
        ax.set_aspect("equal")


def _name(ax: Axes, text: str | None, x: float, y: float, role: str, **options: Any) -> None:
    if text and np.isfinite(x) and np.isfinite(y):
        ax.annotate(
            text, (x, y), (6, 5), textcoords="offset points", color=colour(role), fontsize=12,
            annotation_clip=True, gid=LABEL, **options,
        )  # fmt: skip


def _part_labels(figure: Figure) -> None:
    """Move labels that lie on each other apart, from top to bottom, as static/charts.js does."""
    figure.draw_without_rendering()
    for ax in figure.axes:
        labels: list[Any] = [text for text in ax.texts if text.get_gid() == LABEL]
        placed: list[Any] = []
        for text in sorted(labels, key=lambda text: -text.get_window_extent().y1):
            box = text.get_window_extent()
            for other in placed:  # these come from top to bottom, too
                if box.overlaps(other):
                    down = box.y1 - other.y0 + 1
                    box = box.translated(0, -down)
                    text.xyann = (text.xyann[0], text.xyann[1] - down * 72 / figure.dpi)
            placed.append(box)


def _curve(ax: Axes, m: Mark) -> None:
    ax.plot(
        m["x"], m["y"], color=colour(m["role"]), linewidth=0.75 * m["width"],
        linestyle="--" if "dash" in m else "-", marker="o" if "dots" in m else "", markersize=6,
    )  # fmt: skip
    if "label" in m and len(m["x"]):
        _name(ax, m["label"], m["x"][-1], m["y"][-1], m["role"])


def _points(ax: Axes, m: Mark) -> None:
    c = colour(m["role"])
    marker = "s" if m["shape"] == "square" else "o"
    face = colour("background") if m["shape"] == "ring" else c
    edge = c if m["shape"] == "ring" else colour("background")
    ax.scatter(
        m["x"], m["y"], s=m["size"] ** 2 * 0.6, c=face, edgecolors=edge, marker=marker, zorder=3
    )
    if "label" in m and len(m["x"]):
        _name(ax, m["label"], m["x"][-1], m["y"][-1], m["role"])
    for text, x, y in zip(m.get("labels", ()), m["x"], m["y"], strict=False):
        _name(ax, text, x, y, m["role"])


def _arrow(ax: Axes, m: Mark) -> None:
    look = {"arrowstyle": "-|>", "color": colour(m["role"]), "linewidth": 2.2, "mutation_scale": 16}
    ax.annotate("", m["end"], m["start"], arrowprops=look)
    # An annotation does not widen the axes' limits, these invisible points do.
    ax.plot(*zip(m["start"], m["end"], strict=True), alpha=0)
    middle = [(a + b) / 2 for a, b in zip(m["start"], m["end"], strict=True)]
    _name(ax, m.get("label"), middle[0], middle[1], m["role"])


def _rule(ax: Axes, m: Mark) -> None:
    look: dict[str, Any] = {
        "color": colour(m["role"]), "linewidth": 1.6, "linestyle": "--" if m["dash"] else "-",
    }  # fmt: skip
    where: dict[str, Any]
    if "x" in m:
        ax.axvline(m["x"], **look)
        where, shift = {"xy": (m["x"], 0.95), "xycoords": ax.get_xaxis_transform()}, (6, 0)
    else:
        ax.axhline(m["y"], **look)
        where, shift = {"xy": (0.99, m["y"]), "xycoords": ax.get_yaxis_transform()}, (0, 5)
        where["ha"] = "right"
    if "label" in m:
        ax.annotate(
            m["label"], xytext=shift, textcoords="offset points", color=colour(m["role"]),
            fontsize=12, gid=LABEL, **where,
        )  # fmt: skip


def _band(ax: Axes, m: Mark) -> None:
    ax.fill_between(m["x"], m["low"], m["high"], color=colour(m["role"]), alpha=0.2, linewidth=0)


def _each(role: str | list[str], n: int) -> list[str]:
    return [role] * n if isinstance(role, str) else role


def _bars(ax: Axes, m: Mark) -> None:
    roles = _each(m["role"], len(m["x"]))
    shapes = ax.bar(m["x"], m["height"], m["width"] * 0.97, color=[colour(r) for r in roles])
    if "labels" in m:
        ax.bar_label(shapes, m["labels"], fontsize=12)


def _boxes(ax: Axes, m: Mark) -> None:
    from matplotlib.patches import Rectangle

    for i, role in enumerate(_each(m["role"], len(m["x"]))):
        x, y, w, h = (m[k][i] for k in ("x", "y", "width", "height"))
        c = colour(role)
        ax.add_patch(Rectangle((x, y), w, h, facecolor=c + "26", edgecolor=c, linewidth=1.6))
        ax.plot([x, x + w], [y, y + h], alpha=0)
        if "labels" in m:
            ax.text(x + w / 2, y + h / 2, m["labels"][i], color=c, ha="center", va="center")


def _text(ax: Axes, m: Mark) -> None:
    side = {"start": "left", "middle": "center", "end": "right"}[m["anchor"]]
    ax.text(
        m["x"], m["y"], m["text"], color=colour(m["role"]), fontsize=0.75 * m["size"],
        ha=side, va="center",
    )  # fmt: skip
    ax.plot([m["x"]], [m["y"]], alpha=0)


def _pixels(ax: Axes, m: Mark) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    low, high = m.get("limits", (None, None))
    ax.imshow(
        m["values"], extent=m["extent"], vmin=low, vmax=high, aspect="auto",
        cmap=LinearSegmentedColormap.from_list("", SCALES[m["scale"]]), alpha=m.get("opacity", 1),
        origin="lower" if m["mark"] == "heat" else "upper",
        interpolation="bilinear" if m.get("smooth") else "nearest",
    )  # fmt: skip


def _contours(ax: Axes, m: Mark) -> None:
    x0, x1, y0, y1 = m["extent"]
    rows, columns = m["values"].shape
    x, y = np.linspace(x0, x1, columns), np.linspace(y0, y1, rows)
    levels = np.unique(m["levels"])
    inside = levels[(levels > m["values"].min()) & (levels < m["values"].max())]
    if len(inside):
        c = colour(m["role"])
        ax.contour(x, y, m["values"], levels=inside, colors=c, linewidths=1.1, linestyles="-")


def _images(ax: Axes, m: Mark) -> None:
    values = m["values"]
    n, h, w = values.shape
    low, high = m.get("limits", (values.min(), values.max()))
    for i in range(n):
        column, line = i % m["columns"], i // m["columns"]
        box = (column * 1.2, line * -1.6 * h / w)
        tile = dict(m, mark="image", values=values[i], limits=(low, high))
        tile["extent"] = (box[0], box[0] + 1, box[1] - h / w, box[1])
        _pixels(ax, tile)
        role = m["roles"][i] if "roles" in m else "ink"
        if "labels" in m:
            where = (box[0] + 0.5, box[1] - h / w - 0.05)
            ax.text(*where, m["labels"][i], ha="center", va="top", color=colour(role), fontsize=11)
    ax.set_xlim(-0.1, 1.2 * min(m["columns"], n))
    ax.set_ylim(-1.6 * h / w * (-(-n // m["columns"])) - 0.1, 0.1)
    ax.set_aspect("equal")


def _graph(ax: Axes, m: Mark) -> None:
    at = {node["name"]: (node["x"], node["y"]) for node in m["nodes"]}
    for edge in m["edges"]:
        ends = [at[edge["source"]], at[edge["target"]]]
        start, stop = reversed(ends) if "backward" in edge else ends
        role = "gradient" if "backward" in edge else "muted"
        look = {"arrowstyle": "-|>", "color": colour(role), "shrinkA": 26, "shrinkB": 26}
        ax.annotate("", stop, start, arrowprops=look)
        if "label" in edge:
            place = (start[0] + stop[0]) / 2, (start[1] + stop[1]) / 2
            ax.text(
                *place, edge["label"], ha="center", va="center", fontsize=11, zorder=4,
                color=colour("gradient" if "backward" in edge else "ink"),
                bbox={"facecolor": colour("background"), "edgecolor": "none", "pad": 1},
            )  # fmt: skip
    for node in m["nodes"]:
        current, waiting = node["state"] == "current", node["state"] == "waiting"
        frame = {
            "boxstyle": "round,pad=0.4", "linestyle": ":" if waiting else "-",
            "facecolor": colour("highlight" if current else "background"),
            "edgecolor": colour("muted" if waiting else "ink"), "linewidth": 2.5 if current else 1,
        }  # fmt: skip
        inside = "\n".join(t for t in (node["label"], node.get("value")) if t is not None)
        middle: dict[str, Any] = {"ha": "center", "va": "center"}
        tone = colour("muted" if waiting else node["role"])
        ax.text(*at[node["name"]], inside, color=tone, bbox=frame, fontsize=11, **middle)
        ax.plot(*at[node["name"]], alpha=0)
        if "gradient" in node:
            ax.annotate(
                node["gradient"], at[node["name"]], (0, -32), textcoords="offset points",
                color=colour("gradient"), fontsize=11, fontweight="bold", **middle,
            )  # fmt: skip


def _table(ax: Axes, m: Mark) -> None:
    cells = [[c if isinstance(c, str) else number(c, 6) for c in row] for row in m["rows"]]
    # Columns as wide as their longest text; the letters shrink where a row would not fit the page.
    widths = [2 + max(map(len, column)) for column in zip(m["columns"], *cells, strict=True)]
    size = min(11.0, 11.0 * LETTERS / sum(widths))
    drawn = ax.table(
        cells or [[""] * len(m["columns"])],
        colLabels=m["columns"],
        colWidths=[width / LETTERS * size / 11 for width in widths],
        cellLoc="left",
        colLoc="left",
        loc="upper left",
    )
    drawn.auto_set_font_size(False)
    drawn.set_fontsize(size)
    drawn.scale(1, 1.5)
    for (row, column), cell in drawn.get_celld().items():
        cell.PAD = 0.03
        cell.set_edgecolor(colour("grid"))
        cell.set_text_props(
            color=colour(m["roles"][column] if "roles" in m else "ink"),
            fontweight="bold" if row == 0 or row - 1 in m["highlight"] else "normal",
        )
        if row - 1 in m["highlight"]:
            cell.set_facecolor(colour("highlight"))


_MARKS: dict[str, Callable[[Axes, Mark], None]] = {
    "curve": _curve, "points": _points, "arrow": _arrow, "rule": _rule, "band": _band,
    "bars": _bars, "boxes": _boxes, "text": _text, "heat": _pixels, "image": _pixels,
    "contours": _contours, "images": _images, "graph": _graph, "table": _table,
}  # fmt: skip
