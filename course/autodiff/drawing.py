"""The drawn graph: an SVG, left to right, with value and gradient at every node.

Scalars are written as numbers, arrays as their shape and range.  Colours follow the page, light or
dark.  No program but this one is needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from course.autodiff.graph import label, nodes_in_order
from course.autodiff.tensor import Constant, Tensor

CHAR, ROW, PAD = 7.9, 17.0, 8.0  # width of a character, height of a line, padding, in pixels
GAP_X, GAP_Y = 46.0, 16.0
MOST_NODES = 300
ORDERED = {"−", "÷", "power", "@"}  # where it matters which operand comes first
STYLE = """
.ad-graph{font:13px/1 ui-monospace,"DejaVu Sans Mono",Menlo,monospace;color:#1a1a1a;
 --value:#0b57a4;--grad:#a3340b;--line:#767676;--box:#f6f6f4;max-width:100%;height:auto}
@media (prefers-color-scheme:dark){.ad-graph{color:#ececec;--value:#8cc4ff;--grad:#ffab85;
 --line:#9a9a9a;--box:#262626}}
[data-jp-theme-light="true"] .ad-graph{color:#1a1a1a;--value:#0b57a4;--grad:#a3340b;--line:#767676;
 --box:#f6f6f4}
[data-jp-theme-light="false"] .ad-graph{color:#ececec;--value:#8cc4ff;--grad:#ffab85;--line:#9a9a9a;
 --box:#262626}
.ad-graph text{fill:currentColor;white-space:pre}.ad-graph .v{fill:var(--value)}
.ad-graph .g{fill:var(--grad)}.ad-graph rect{fill:var(--box);stroke:var(--line)}
.ad-graph .leaf rect{stroke-width:2}.ad-graph .now rect{stroke:var(--grad);stroke-width:3}
.ad-graph .const rect{stroke-dasharray:3 3}.ad-graph .edge{fill:none;stroke:var(--line)}
"""


def summary(value: Any) -> str:
    """A scalar as a number of 6 digits, an array as its shape and range.

    >>> summary(np.array(7.194332)), summary(np.zeros((32, 10)))
    ('7.19433', '(32, 10) all 0')
    """
    value = np.asarray(value)
    if value.ndim == 0:
        return f"{float(value):.6g}".replace("-", "−")
    if value.size == 0:
        return f"{value.shape} empty"
    if value.size <= 4 and value.ndim == 1:
        return ("[" + ", ".join(f"{x:.4g}" for x in value) + "]").replace("-", "−")
    low, high = float(value.min()), float(value.max())
    span = f"all {low:.3g}" if low == high else f"{low:.3g} … {high:.3g}"
    return f"{value.shape} {span}".replace("-", "−")


def escape(text: str) -> str:
    """The text with the characters that mean something in SVG written out."""
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(character, entity)
    return text


class Drawing:
    """A picture of a graph; a notebook shows it, `svg` is its text, `save` writes it to a file."""

    def __init__(self, svg: str, description: str):
        self.svg = svg
        self.description = description

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_html_(self) -> str:  # in the page itself, where the theme of JupyterLab is seen
        return self.svg

    def __repr__(self) -> str:
        return self.description

    def save(self, path) -> None:
        """Write the SVG to a file."""
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.svg)


def draw(
    root: Tensor,
    names: Mapping[str, Any] | None = None,
    highlight: Tensor | None = None,
    gradients: bool = True,
) -> Drawing:
    """Draw the graph of `root`, inputs on the left; at each node its value and its gradient.

    Parameters
    ----------
    names : names for nodes that have none of their own; `names=locals()` takes those of the
        variables.
    highlight : a node to point out, such as that of a step of `backward_steps`.
    gradients : whether to show gradients; one that is not known yet is a question mark.

    Raises
    ------
    ValueError : the graph has too many nodes to be read.

    >>> x, y = Tensor(3.0, name="x"), Tensor(-2.0, name="y")
    >>> print(draw((x * y).named("f")))
    graph of 3 nodes: x = 3; y = −2; f = × (x, y) = −6
    """
    nodes = nodes_in_order(root)
    if len(nodes) > MOST_NODES:
        raise ValueError(
            f"a graph of {len(nodes)} nodes is too large to be read: draw one of at most "
            f"{MOST_NODES}, such as the graph of a single sample or of a single layer"
        )
    given = {id(t): name for name, t in (names or {}).items() if isinstance(t, Tensor)}
    titles = {node: node.name or given.get(id(node), "") for node in nodes}
    lines = {node: _lines(node, titles[node], gradients) for node in nodes}
    boxes, wires = _layout(nodes, lines)
    width = max(x + w for x, _, w, _ in boxes.values()) + PAD
    height = max(y + h for _, y, _, h in boxes.values()) + PAD
    body = [_edges(node, wires[node], boxes) for node in nodes if node.parents]
    body += [_box(n, boxes[n], lines[n], n is highlight) for n in nodes]
    description = _describe(nodes, titles)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="ad-graph" role="img" width="{width:.0f}" '
        f'height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}">'
        f"<title>{escape(description)}</title><style>{STYLE}</style>"
        '<defs><marker id="ad-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" style="fill:var(--line)"/>'
        f"</marker></defs>{''.join(body)}</svg>"
    )
    return Drawing(svg, description)


def _lines(node: Tensor, title: str, gradients: bool) -> list[tuple[str, str]]:
    """(class, text) of the lines in a node's box: name and operation, value, gradient."""
    operation = getattr(node, "symbol", "") if node.parents else ""
    head = "  ".join(filter(None, (title, operation)))
    lines = [("t", head)] if head else []
    lines.append(("v", summary(node.data)))
    if gradients and node.requires_grad:
        lines.append(("g", "∂ " + (summary(node.grad) if node.grad is not None else "?")))
    return lines


class Bend:
    """A place that a long edge keeps free in a column which it passes through."""


Place = Tensor | Bend
Boxes = dict[Place, tuple[float, float, float, float]]


def _layout(nodes: list[Tensor], lines: dict) -> tuple[Boxes, dict[Tensor, list[list[Place]]]]:
    """x, y, width, height of each box, and for each node the paths of its edges, one an operand."""
    depth: dict[Tensor, int] = {}
    for node in nodes:
        depth[node] = 1 + max((depth[p] for p in node.parents), default=-1)
    for leaf in nodes:  # a leaf stands just before the first node that uses it
        if not leaf.parents and (users := [depth[n] for n in nodes if leaf in n.parents]):
            depth[leaf] = min(users) - 1
    columns: list[list[Place]] = [[] for _ in range(1 + max(depth.values()))]
    size: dict[Place, tuple[float, float]] = {}
    wires: dict[Tensor, list[list[Place]]] = {}
    for node in nodes:
        wires[node] = []
        for parent in node.parents:
            bends: list[Place] = [Bend() for _ in range(depth[parent] + 1, depth[node])]
            for number, bend in enumerate(bends, depth[parent] + 1):
                columns[number].append(bend)
                size[bend] = (0.0, 4.0)
            wires[node].append([parent, *bends, node])
        columns[depth[node]].append(node)
        longest = max(len(text) for _, text in lines[node])
        size[node] = (longest * CHAR + 2 * PAD, len(lines[node]) * ROW + PAD)
    neighbours: dict[Place, list[Place]] = {place: [] for place in size}
    for path in (path for paths in wires.values() for path in paths):
        for here, there in pairwise(path):
            neighbours[here].append(there)
            neighbours[there].append(here)
    middle = _rows(columns, {place: size[place][1] + GAP_Y for place in size}, neighbours)
    boxes: Boxes = {}
    x, top = PAD, min(middle[n] - size[n][1] / 2 for n in nodes) - PAD
    for column in columns:
        wide = max((size[n][0] for n in column), default=0.0)
        for n in column:
            w, h = size[n]
            boxes[n] = (x + (wide - w) / 2, middle[n] - h / 2 - top, w, h)
        x += wide + GAP_X
    return boxes, wires


def _rows(columns, pitch, neighbours) -> dict[Place, float]:
    """The height of each box's middle: near its neighbours, ordered to cross few edges."""
    middle: dict[Place, float] = {}
    for column in columns:
        y = 0.0
        for place in column:
            middle[place] = y + pitch[place] / 2
            y += pitch[place]
    for sweep in range(16):
        for column in columns if sweep % 2 == 0 else reversed(columns):
            wish = {
                place: sum(middle[m] for m in near) / len(near) if near else middle[place]
                for place in column
                for near in [neighbours[place]]
            }
            column.sort(key=wish.__getitem__)
            _spread(column, wish, pitch, middle)
    return middle


def _spread(column, wish, pitch, middle) -> None:
    """Put a column's boxes as near to their wishes as they can stand without touching."""
    blocks: list[list] = []  # [nodes, their total pitch, sum of wishes for the block's top]
    for node in column:
        block = [[node], pitch[node], wish[node] - pitch[node] / 2]
        while blocks and blocks[-1][2] / len(blocks[-1][0]) + blocks[-1][1] > block[2] / len(
            block[0]
        ):
            before = blocks.pop()
            block = [
                before[0] + block[0],
                before[1] + block[1],
                before[2] + block[2] - before[1] * len(block[0]),
            ]
        blocks.append(block)
    for nodes, _, tops in blocks:
        y = tops / len(nodes)
        for node in nodes:
            middle[node] = y + pitch[node] / 2
            y += pitch[node]


def _edges(node: Tensor, paths: list[list[Place]], boxes: Boxes) -> str:
    """The edges into a node: operands from top to bottom, where their order matters."""

    def height(path: list[Place]) -> float:
        _, y, _, h = boxes[path[-2]]
        return y + h / 2

    if getattr(node, "symbol", "") not in ORDERED:
        paths = sorted(paths, key=height)
    x_end, y_end, _, h_end = boxes[node]
    drawn = []
    for place, path in enumerate(paths, start=1):
        x, y, w, h = boxes[path[0]]
        points = [(x + w, y + h / 2)]
        points += [(bx, by + bh / 2) for bx, by, _, bh in (boxes[b] for b in path[1:-1])]
        points.append((x_end, y_end + h_end * place / (len(paths) + 1)))
        d = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
        for (x0, y0), (x1, y1) in pairwise(points):
            bend = max(18.0, (x1 - x0) / 2)
            d += f"C{x0 + bend:.1f} {y0:.1f} {x1 - bend:.1f} {y1:.1f} {x1:.1f} {y1:.1f}"
        drawn.append(f'<path class="edge" marker-end="url(#ad-tip)" d="{d}"/>')
    return "".join(drawn)


def _box(node: Tensor, box, lines, highlighted: bool) -> str:
    x, y, w, h = box
    kind = "const" if isinstance(node, Constant) else "op" if node.parents else "leaf"
    text = "".join(
        f'<text class="{kind_}" x="{x + w / 2:.1f}" y="{y + PAD / 2 + ROW * (i + 0.75):.1f}" '
        f'text-anchor="middle">{escape(content)}</text>'
        for i, (kind_, content) in enumerate(lines)
    )
    return (
        f'<g class="{kind}{" now" if highlighted else ""}"><rect x="{x:.1f}" y="{y:.1f}" '
        f'width="{w:.1f}" height="{h:.1f}" rx="5"/>{text}</g>'
    )


def _describe(nodes: list[Tensor], titles: dict[Tensor, str]) -> str:
    """The graph in words, for those who do not see it."""

    def name(node: Tensor) -> str:
        return titles[node] or (
            label(node) if not node.parents else f"node {nodes.index(node) + 1}"
        )

    parts = []
    for node in nodes:
        if isinstance(node, Constant) and node.shape == ():
            continue
        rule = ""
        if node.parents:
            rule = f"{getattr(node, 'symbol', '')} ({', '.join(map(name, node.parents))}) = "
        text = f"{name(node)} = {rule}{summary(node.data)}"
        if node.grad is not None:
            text += f", gradient {summary(node.grad)}"
        parts.append(text)
    return f"graph of {len(nodes)} nodes: " + "; ".join(parts)
