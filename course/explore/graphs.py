"""Lecture 08's graph stepper: values run forward, error signals run backward, a node at a time."""

from __future__ import annotations

from typing import Any

from course.autodiff import Tensor
from course.explore import (
    Explorable,
    choice,
    edge,
    figure,
    graph,
    node,
    number,
    panel,
    play,
    slider,
    table,
    toggle,
)
from course.explore.worked_graphs import GRAPHS, OPERATIONS, Leaf, WorkedGraph

SLIDERS = "①②③"  # which slider moves which input
MOST = 68  # steps of the longest graph with questions: the 2-2-1 net


class GraphStepper(Explorable):
    """Which number can be computed next, and from which others? (P-34, H-17, G-64)"""

    title = "Stepping through a computational graph"
    twin = "graphs"
    graph = choice(list(GRAPHS), label="graph", control="menu")
    step = play(0, 0, MOST, interval=900, label="step")
    guess = toggle(False, label="guess first")
    first = slider(0.0, -2.0, 2.0, step=0.1, label="① changed by")
    second = slider(0.0, -2.0, 2.0, step=0.1, label="② changed by")
    third = slider(0.0, -2.0, 2.0, step=0.1, label="③ changed by")

    def data(self) -> dict[str, Any]:
        return {
            "graphs": {name: worked.data() for name, worked in GRAPHS.items()},
            "operations": {
                name: {"symbol": op.symbol, "formula": op.formula, "slopes": list(op.slopes)}
                for name, op in OPERATIONS.items()
            },
        }

    @staticmethod
    def scene(
        graph: str, step: int, guess: bool, first: float, second: float, third: float
    ) -> dict[str, Any]:
        worked = GRAPHS[graph]
        changes = dict(zip(worked.moved, (first, second, third), strict=False))
        return picture(graph, worked, sweep(worked, changes), step, guess)


def sweep(worked: WorkedGraph, changes: dict[str, float] | None = None) -> dict[str, dict]:
    """Both passes over a worked graph, by the library.

    Returns `value` and `gradient` by node, `slope` and `message` by edge (child, parent): the
    message is the child's error signal times its local derivative, and a node's gradient is the
    sum of the messages of its children.

    >>> passes = sweep(GRAPHS["(x + y) z"])
    >>> passes["value"]["f"], passes["gradient"]["z"], passes["message"]["f", "q"]
    (-12.0, 3.0, -4.0)
    """
    made = worked.tensors(changes)
    made[worked.nodes[-1].name].backward()
    value = {name: float(tensor.data) for name, tensor in made.items()}
    gradient = {name: float(tensor.grad) for name, tensor in made.items()}
    slope, message = {}, {}
    for child in worked.nodes:
        if isinstance(child, Leaf):
            continue
        # The operation alone, from fresh leaves: its local derivatives.
        alone = [Tensor(value[parent]) for parent in child.parents]
        OPERATIONS[child.operation].value(*alone).backward()
        for parent, leaf in zip(child.parents, alone, strict=True):
            slope[child.name, parent] = float(leaf.grad)
            message[child.name, parent] = gradient[child.name] * float(leaf.grad)
    return {"value": value, "gradient": gradient, "slope": slope, "message": message}


def barred(name: str) -> str:
    """The error signal of a node on paper: its name with a bar over the first letter."""
    return f"{name[0]}\u0304{name[1:]}"


def product(a: str, b: str) -> str:
    """Two factors as text; the second in brackets where it needs them."""
    return f"{a} · ({b})" if any(sign in b for sign in "−+/ ") else f"{a} · {b}"


def picture(
    title: str, worked: WorkedGraph, passes: dict[str, dict], step: int, guess: bool
) -> dict[str, Any]:
    """The scene after `step` steps; with `guess`, each odd step is the question of the next."""
    up = [n.name for n in worked.nodes if not isinstance(n, Leaf)]
    down = [n.name for n in reversed(worked.nodes)]
    last = (len(up) + len(down)) * (2 if guess else 1)
    step = min(step, last)
    stage = (step + 1) // 2 if guess else step  # how many numbers are there, or asked for
    asking = guess and step % 2 == 1
    forward = stage <= len(up)
    current = "" if stage == 0 else up[stage - 1] if forward else down[stage - len(up) - 1]
    finished_up = set(up[:stage])
    finished_down = set(down[: max(0, stage - len(up))])

    def shown_value(name: str) -> str | None:
        if name in up and name not in finished_up:
            return None
        asked = asking and forward and name == current
        return "?" if asked else number(passes["value"][name])

    def shown_gradient(name: str) -> str | None:
        if name not in finished_down:
            return None
        asked = asking and name == current
        return "?" if asked else number(passes["gradient"][name])

    children = sum(current in n.parents for n in worked.nodes if not isinstance(n, Leaf))
    branches = children > 1  # then the arriving messages are written on the edges
    nodes, edges = [], []
    for n in worked.nodes:
        label, waiting = n.name, n.name in up and n.name not in finished_up
        if n.name in worked.moved:
            label += f" {SLIDERS[worked.moved.index(n.name)]}"
        if not isinstance(n, Leaf):
            op = OPERATIONS[n.operation]
            formula = op.formula.format(*n.parents, out=n.name)
            label = f"{n.name} {op.symbol}" if worked.compact else f"{n.name} = {formula}"
            for parent in n.parents:
                sent = parent in finished_down
                arriving = current in ((parent,) if not forward else (n.name,))
                edges.append(
                    edge(
                        parent,
                        n.name,
                        state="current" if arriving else "waiting" if waiting else "done",
                        backward=sent,
                        label=number(passes["message"][n.name, parent])
                        if branches and sent and arriving and not asking
                        else None,
                    )
                )
        nodes.append(
            node(
                n.name,
                n.x,
                n.y,
                label,
                value=shown_value(n.name),
                gradient=shown_gradient(n.name),
                state="waiting" if waiting else "current" if n.name == current else "done",
            )
        )
    rows, words = explanation(worked, passes, stage, asking, up, down)
    return figure(
        panel(
            graph(nodes, edges),
            title=f"{title}: step {step} of {last}",
            height=worked.height,
            weight=3,
        ),
        panel(
            table(["node", "rule", "numbers", "result"], rows, highlight=[len(rows) - 1]),
            height=40 + 34 * len(rows),
        ),
        words=words,
        idle=[f"{mark} changed by" for mark in SLIDERS[len(worked.moved) :]],
    )


def explanation(
    worked: WorkedGraph,
    passes: dict[str, dict],
    stage: int,
    asking: bool,
    up: list[str],
    down: list[str],
) -> tuple[list[list[str]], str]:
    """What is being computed: the rows of the table, and the same in words."""
    value, gradient = passes["value"], passes["gradient"]
    if stage == 0:
        leaves = [
            f"{n.name} = {number(value[n.name], 6)}" for n in worked.nodes if n.name not in up
        ]
        return (
            [["inputs", "given", ", ".join(leaves), ""]],
            f"The inputs are {', '.join(leaves)}. Step on to compute {up[0]}.",
        )
    by_name = {n.name: n for n in worked.nodes}
    if stage <= len(up):
        n = by_name[up[stage - 1]]
        assert not isinstance(n, Leaf)
        formula = OPERATIONS[n.operation].formula.format(*n.parents, out=n.name)
        parents = ", ".join(f"{p} = {number(value[p], 6)}" for p in n.parents)
        result = "?" if asking else number(value[n.name], 6)
        place = f"Forward {stage} of {len(up)}: {n.name} = {formula}"
        words = f"{place}. How large is it?" if asking else f"{place} = {result}."
        return [[n.name, formula, parents, result]], words
    name = down[stage - len(up) - 1]
    place = f"Backward {stage - len(up)} of {len(down)}: the error signal of {name}"
    if name == down[0]:
        result = "?" if asking else "1"
        words = (
            f"{place}. What is ∂{name}/∂{name}?" if asking else f"{place} is ∂{name}/∂{name} = 1."
        )
        return [[barred(name), f"∂{name}/∂{name}", "", result]], words
    rows = []
    children = [n for n in worked.nodes if not isinstance(n, Leaf) and name in n.parents]
    for child in children:
        slope = OPERATIONS[child.operation].slopes[child.parents.index(name)]
        factors = gradient[child.name], passes["slope"][child.name, name]
        rows.append(
            [
                f"from {child.name}" if len(children) > 1 else barred(name),
                product(barred(child.name), slope.format(*child.parents, out=child.name)),
                product(*(number(factor, 6) for factor in factors)),
                "?" if asking else number(passes["message"][child.name, name], 6),
            ]
        )
    result = "?" if asking else number(gradient[name], 6)
    senders = " and ".join(child.name for child in children)
    kind = "is the message from" if len(children) == 1 else "adds the messages from"
    if len(children) > 1:
        rows.append([barred(name), "sum of the messages", "", result])
    words = (
        f"{place} {kind} {senders}. How large is it?"
        if asking
        else f"{place} {kind} {senders}: {result}."
    )
    return rows, words
