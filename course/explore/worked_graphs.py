"""The worked computational graphs of the lectures, as data: what is computed from what.

A graph is written once, here. `graphs.py` shows it, the library differentiates it (each operation
below is one of `course.autodiff`), and the browser's twin gets the same table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from course.autodiff import Tensor, cos, exp, log, sigmoid, sqrt


@dataclass(frozen=True)
class Operation:
    """One kind of node: its value, its symbol, its formula and its local derivatives as texts.

    In the texts `{0}`, `{1}`, ... are the names of the parents and `{out}` is that of the node.
    """

    value: Callable[..., Tensor]
    symbol: str
    formula: str
    slopes: tuple[str, ...]


OPERATIONS: dict[str, Operation] = {
    "add": Operation(lambda a, b: a + b, "+", "{0} + {1}", ("1", "1")),
    "add three": Operation(lambda a, b, c: a + b + c, "+", "{0} + {1} + {2}", ("1", "1", "1")),
    "multiply": Operation(lambda a, b: a * b, "×", "{0} · {1}", ("{1}", "{0}")),
    "square": Operation(lambda a: a**2, "²", "{0}²", ("2{0}",)),
    "exp": Operation(exp, "exp", "exp {0}", ("{out}",)),
    "sqrt": Operation(sqrt, "√", "√{0}", ("1/(2{out})",)),
    "cos": Operation(cos, "cos", "cos {0}", ("−sin {0}",)),
    "negate": Operation(lambda a: -a, "−", "−{0}", ("−1",)),
    "add one": Operation(lambda a: 1.0 + a, "1 +", "1 + {0}", ("1",)),
    "invert": Operation(lambda a: 1.0 / a, "1/", "1/{0}", ("−{out}²",)),
    "minus log": Operation(lambda a: -log(a), "−log", "−log {0}", ("−1/{0}",)),
    "sigmoid": Operation(sigmoid, "σ", "σ({0})", ("{out}(1 − {out})",)),
    "line": Operation(lambda w, x, b: w * x + b, "line", "{0}{1} + {2}", ("{1}", "{0}", "1")),
    "half square": Operation(lambda a: 0.5 * a**2, "½²", "½{0}²", ("{0}",)),
    "half squared error": Operation(
        lambda a, t: 0.5 * (a - t) ** 2, "½²", "½({0} − {1})²", ("{0} − {1}", "{1} − {0}")
    ),
    "penalise": Operation(lambda a, l, r: a + l * r, "+ λ", "{0} + {1}{2}", ("1", "{2}", "{1}")),
}


@dataclass(frozen=True)
class Leaf:
    """An input of the graph, at the place (x, y) of the drawing."""

    name: str
    value: float
    x: float
    y: float


@dataclass(frozen=True)
class Step:
    """A computed node: the operation (a key of `OPERATIONS`) and the names of its parents."""

    name: str
    operation: str
    parents: tuple[str, ...]
    x: float
    y: float


@dataclass(frozen=True)
class WorkedGraph:
    """Nodes in the order in which they are computed, the last one being the result.

    `moved` names the leaves (up to three) that the sliders move. `compact` drawings name the
    operation only by its symbol.
    """

    source: str
    nodes: tuple[Leaf | Step, ...]
    moved: tuple[str, ...]
    height: int
    compact: bool = False

    def tensors(self, changes: dict[str, float] | None = None) -> dict[str, Tensor]:
        """The graph on the library's tape: a tensor for each node, leaves moved by `changes`."""
        changes = changes or {}
        made: dict[str, Tensor] = {}
        for node in self.nodes:
            if isinstance(node, Leaf):
                made[node.name] = Tensor(node.value + changes.get(node.name, 0.0), name=node.name)
            else:
                parents = (made[parent] for parent in node.parents)
                made[node.name] = OPERATIONS[node.operation].value(*parents).named(node.name)
        return made

    def data(self) -> dict[str, Any]:
        """What the twin needs to know."""
        return {
            "nodes": [
                {"name": n.name, "x": n.x, "y": n.y, "value": n.value, "operation": "", "parents": []}
                if isinstance(n, Leaf)
                else {
                    "name": n.name, "x": n.x, "y": n.y, "value": 0.0, "operation": n.operation,
                    "parents": list(n.parents),
                }
                for n in self.nodes
            ],
            "moved": list(self.moved),
            "height": self.height,
            "compact": self.compact,
        }  # fmt: skip


GRAPHS: dict[str, WorkedGraph] = {
    "(x + y) z": WorkedGraph(
        "H-16",
        (
            Leaf("x", -2.0, 0, 2),
            Leaf("y", 5.0, 0, 1),
            Leaf("z", -4.0, 0, 0),
            Step("q", "add", ("x", "y"), 1, 1.5),
            Step("f", "multiply", ("q", "z"), 2, 0.75),
        ),
        ("x", "y", "z"),
        360,
    ),
    "square-exp-sqrt-cos": WorkedGraph(
        "P-36",
        (
            Leaf("x", 2.0, 0, 0.5),
            Step("a", "square", ("x",), 1, 0.5),
            Step("b", "exp", ("a",), 2, 1.3),
            Step("c", "add", ("a", "b"), 3, 0.5),
            Step("d", "sqrt", ("c",), 4, 1.3),
            Step("e", "cos", ("c",), 4, -0.3),
            Step("f", "add", ("d", "e"), 5, 0.5),
        ),
        ("x",),
        340,
    ),
    "sigmoid unit": WorkedGraph(
        "H-18",
        (
            Leaf("w0", -3.0, 0, 2),
            Leaf("w1", 2.0, 0, 4),
            Leaf("x1", -1.0, 0, 3),
            Leaf("w2", -3.0, 0, 1),
            Leaf("x2", -2.0, 0, 0),
            Step("p1", "multiply", ("w1", "x1"), 1, 3.5),
            Step("p2", "multiply", ("w2", "x2"), 1, 0.5),
            Step("z", "add three", ("w0", "p1", "p2"), 2.2, 2),
            Step("m", "negate", ("z",), 3.4, 2),
            Step("e", "exp", ("m",), 4.4, 2),
            Step("n", "add one", ("e",), 5.4, 2),
            Step("f", "invert", ("n",), 6.4, 2),
            Step("ℓ", "minus log", ("f",), 7.4, 2),
        ),
        ("w0", "w1", "w2"),
        520,
    ),
    "regularised logistic least squares": WorkedGraph(
        "G-65",
        (
            Leaf("x", 2.0, 0, 3),
            Leaf("w", 0.6, 0, 2),
            Leaf("b", -0.7, 0, 1),
            Step("z", "line", ("w", "x", "b"), 1, 2),
            Step("y", "sigmoid", ("z",), 2, 2.4),
            Leaf("t", 1.0, 2, 3.4),
            Step("L", "half squared error", ("y", "t"), 3.1, 2.6),
            Step("R", "half square", ("w",), 2, 0.6),
            Leaf("λ", 0.1, 3.1, 1.75),
            Step("J", "penalise", ("L", "λ", "R"), 4.3, 1.4),
        ),
        ("w", "b", "λ"),
        460,
    ),
    "2-2-1 net": WorkedGraph(
        "H-24",
        (
            Leaf("x1", -1.0, 0, 4.6),
            Leaf("x2", -2.0, 0, 1.4),
            Leaf("u1", -0.8, 1, 6.4),
            Leaf("u2", 0.8, 1, 3.8),
            Leaf("u3", -0.5, 1, 2.2),
            Leaf("u4", -0.8, 1, -0.4),
            Leaf("v1", 2.5, 4, 6.2),
            Leaf("v2", -1.0, 4, -0.2),
            Step("g1", "multiply", ("u1", "x1"), 2, 5.6),
            Step("g2", "multiply", ("u2", "x2"), 2, 4.1),
            Step("g3", "multiply", ("u3", "x1"), 2, 1.9),
            Step("g4", "multiply", ("u4", "x2"), 2, 0.4),
            Step("g5", "add", ("g1", "g2"), 3, 4.8),
            Step("g6", "add", ("g3", "g4"), 3, 1.2),
            Step("g7", "sigmoid", ("g5",), 4, 4.6),
            Step("g8", "sigmoid", ("g6",), 4, 1.4),
            Step("g9", "multiply", ("v1", "g7"), 5, 4.8),
            Step("g10", "multiply", ("v2", "g8"), 5, 1.2),
            Step("g11", "add", ("g9", "g10"), 6, 3),
            Step("g12", "sigmoid", ("g11",), 7, 3),
            Step("ℓ", "minus log", ("g12",), 8, 3),
        ),
        ("x1", "x2", "v1"),
        600,
        compact=True,
    ),
    "y + exp(xy)": WorkedGraph(
        "G-63",
        (
            Leaf("t", 1.0, 0, 1),
            Step("x", "cos", ("t",), 1, 1.8),
            Step("y", "square", ("t",), 1, 0.2),
            Step("p", "multiply", ("x", "y"), 2, 1.4),
            Step("e", "exp", ("p",), 3, 1.4),
            Step("f", "add", ("y", "e"), 4, 0.6),
        ),
        ("t",),
        340,
    ),
}
