"""Lecture 09a's explorables: one iteration of back-propagation by hand, and what it costs."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from course.explore import (
    Explorable,
    axis,
    choice,
    curve,
    edge,
    figure,
    graph,
    integer,
    node,
    number,
    panel,
    play,
    points,
    rule,
    slider,
    table,
    toggle,
)
from course.nn import multiply_count

BUGS = (
    "none",
    "wrong factor",
    "no transpose",
    "plus sign",
    "sequential update",
    "derivative at the output",
)

# The exercise of T-48 and T-49 in the layout (inputs, units): one unit a column.
X = np.array([1.0, 0.1])
Y = 0.5
W0 = np.array([[1.0, 0.2], [-3.0, 1.0]])
W1 = np.array([1.0, -1.0])


def one_iteration(lr: float, bug: str = "none") -> dict[str, Any]:
    """One iteration on the 2-2-1 tanh net, right or with one of the `BUGS` (T-48 to T-58).

    Returns every quantity on the way by name: z, h, y_hat, loss; dy_hat, dW1, dh, dz, dW0; then
    W0_new, W1_new, y_hat_new, loss_new.

    >>> round(one_iteration(0.2)["loss_new"], 8)
    0.00758858
    """
    if bug not in BUGS:
        raise ValueError(f"there is no bug {bug!r}; the bugs are {', '.join(BUGS)}")
    z = X @ W0
    h = np.tanh(z)
    y_hat = h @ W1
    dy_hat = y_hat - Y

    dW1 = h * dy_hat
    if bug == "wrong factor":  # the first entry of dz, as printed (E-T1)
        dW1 = h * (dy_hat * W1 * (1 - h**2))[0]
    dh = dy_hat * (W1 - lr * dW1 if bug == "sequential update" else W1)
    dz = dh * (1 - np.tanh(h if bug == "derivative at the output" else z) ** 2)
    dW0 = np.outer(X, dz)

    sign = 1 if bug == "plus sign" else -1
    W0_new = W0 + sign * lr * (dW0.T if bug == "no transpose" else dW0)
    W1_new = W1 + sign * lr * dW1
    y_hat_new = np.tanh(X @ W0_new) @ W1_new
    return {
        "z": z, "h": h, "y_hat": float(y_hat), "loss": float(0.5 * dy_hat**2),
        "dy_hat": float(dy_hat), "dW1": dW1, "dh": dh, "dz": dz, "dW0": dW0,
        "W0_new": W0_new, "W1_new": W1_new,
        "y_hat_new": float(y_hat_new), "loss_new": float(0.5 * (y_hat_new - Y) ** 2),
    }  # fmt: skip


# One row a step: name, formula, key of the quantity; then the formula of the bug that changes it.
STEPS: tuple[tuple[str, str, str, dict[str, str]], ...] = (
    ("z", "x W₀", "z", {}),
    ("h", "tanh z", "h", {}),
    ("ŷ", "h W₁", "y_hat", {}),
    ("ℓ", "½(ŷ − y)²", "loss", {}),
    ("dŷ", "ŷ − y", "dy_hat", {}),
    ("dW₁", "h dŷ", "dW1", {"wrong factor": "h dz₁"}),
    ("dh", "dŷ W₁", "dh", {"sequential update": "dŷ (new W₁)"}),
    ("dz", "dh (1 − tanh² z)", "dz", {"derivative at the output": "dh (1 − tanh² h)"}),
    ("dW₀", "x dz, outer", "dW0", {}),
    ("new W₁", "W₁ − η dW₁", "W1_new", {"plus sign": "W₁ + η dW₁"}),
    (
        "new W₀",
        "W₀ − η dW₀",
        "W0_new",
        {"plus sign": "W₀ + η dW₀", "no transpose": "W₀ − η dW₀ transposed"},
    ),
    ("new ℓ", "½(new ŷ − y)²", "loss_new", {}),
)
RATES = np.linspace(0, 1, 51)


def written(value: Any) -> str:
    """A number, or an array row by row, to six digits."""
    rows = np.atleast_2d(value)
    if rows.size == 1:
        return number(rows[0, 0], 6)
    return "; ".join("(" + ", ".join(number(v, 6) for v in row) + ")" for row in rows)


def together(text: str) -> str:
    """The text with spaces at which a table cell is not broken, except between rows."""
    return text.replace(" ", "\u00a0").replace(";\u00a0", "; ")


class OneIteration(Explorable):
    """What does one training step do, number by number, and would you notice a mistake in it?"""

    title = "One iteration of back-propagation"
    twin = "one_iteration"
    lr = slider(0.2, 0.0, 1.0, step=0.01, label="learning rate η")
    bug = choice(BUGS, label="bug", control="menu")
    step = play(len(STEPS), 0, len(STEPS), interval=1200, label="step")
    presets: ClassVar = {"from the start": {"step": 0}}

    BUGS: ClassVar = BUGS
    compute = staticmethod(one_iteration)

    @staticmethod
    def scene(lr: float, bug: str, step: int) -> dict[str, Any]:
        right, wrong = one_iteration(lr), one_iteration(lr, bug)
        rows = []
        for name, formula, key, bugs in STEPS[:step]:
            if bug == "none":
                rows.append([name, formula, written(right[key])])
            else:
                same = written(wrong[key]) == written(right[key])
                shown = "the same" if same else written(wrong[key])
                rows.append([name, bugs.get(bug, formula), written(right[key]), shown])
        columns = ["", "formula", "correct"] + ([] if bug == "none" else ["with the bug"])
        if not rows:
            rows = [["x, y", "given", f"{written(X)}, {number(Y)}", ""][: len(columns)]]
        rows = [[together(cell) for cell in row] for row in rows]
        return figure(
            panel(net(wrong, step), title=f"The net, step {step} of {len(STEPS)}", height=340, weight=2.6),
            panel(*loss_against_rate(lr, bug), x=axis("learning rate η", 0, 1), y=axis("loss after the step", 0, 0.04), height=340),
            panel(table(columns, rows, highlight=[len(rows) - 1]), weight=3, height=40 + 34 * len(rows)),
            words=words(lr, bug, step, right, wrong),
        )  # fmt: skip


def net(values: dict[str, Any], step: int) -> dict[str, Any]:
    """The net after `step` steps: values in the boxes, error signals below them.

    The edges carry their weights; from the step that computes it to the update, their gradient.
    """
    z, h, dz, dh = values["z"], values["h"], values["dz"], values["dh"]
    # name, place, label, value, the step it comes in, gradient, the step that comes in
    places = (
        ("x1", 0, 3.0, "x₁", X[0], 0, None, 99),
        ("x2", 0, 0.0, "x₂", X[1], 0, None, 99),
        ("z1", 1.5, 2.2, "z₁", z[0], 1, dz[0], 8),
        ("z2", 1.5, 0.8, "z₂", z[1], 1, dz[1], 8),
        ("h1", 2.5, 2.2, "h₁", h[0], 2, dh[0], 7),
        ("h2", 2.5, 0.8, "h₂", h[1], 2, dh[1], 7),
        ("y", 3.9, 1.5, "ŷ", values["y_hat"], 3, values["dy_hat"], 5),
        ("l", 5.0, 1.5, "ℓ", values["loss"], 4, 1.0, 5),
    )
    nodes = [
        node(
            name, x, y, label,
            value=number(value) if step >= there else None,
            gradient=number(gradient) if gradient is not None and step >= back else None,
            state="current" if step and step in (there, back) else "done" if step >= there else "waiting",
        )
        for name, x, y, label, value, there, gradient, back in places
    ]  # fmt: skip
    there = {name: up for name, _, _, _, _, up, _, _ in places}

    def link(source: str, target: str, steps: tuple[int, ...], backward: bool, label: str | None):
        waiting = step < there[target]
        state = "current" if step in (there[target], *steps) else "waiting" if waiting else "done"
        return edge(source, target, label=label, state=state, backward=backward)

    def weight(old: float, new: float, gradient: float, found: int, moved: int) -> str:
        return number(old if step < found else gradient if step < moved else new)

    edges = []
    for i in (0, 1):
        for j in (0, 1):
            label = weight(W0[i, j], values["W0_new"][i, j], values["dW0"][i, j], 9, 11)
            edges.append(link(f"x{i + 1}", f"z{j + 1}", (9, 11), 9 <= step < 11, label))
    for j in (0, 1):
        edges.append(link(f"z{j + 1}", f"h{j + 1}", (8,), step >= 8, None))
        label = weight(W1[j], values["W1_new"][j], values["dW1"][j], 6, 10)
        edges.append(link(f"h{j + 1}", "y", (6, 7, 10), 6 <= step < 10, label))
    edges.append(link("y", "l", (5,), step >= 5, None))
    return graph(nodes, edges)


def loss_against_rate(lr: float, bug: str) -> list[dict[str, Any]]:
    """The loss after one step over the learning rate, correct and with the bug."""
    before = one_iteration(0.0)["loss"]

    def losses(which: str) -> list[float]:
        return [one_iteration(rate, which)["loss_new"] for rate in RATES]

    marks = [
        rule("muted", y=before, label="before the step"),
        curve(RATES, losses("none"), "loss"),
        points([lr], [one_iteration(lr)["loss_new"]], "loss", label="correct"),
    ]
    if bug != "none":
        marks.append(curve(RATES, losses(bug), "negative", dash=True))
        marks.append(points([lr], [one_iteration(lr, bug)["loss_new"]], "negative", label=bug))
    return marks


def words(lr: float, bug: str, step: int, right: dict[str, Any], wrong: dict[str, Any]) -> str:
    """The state in words."""
    if step < len(STEPS):
        if step == 0:
            return "The net before the iteration. Step on to compute z."
        name, formula, key, bugs = STEPS[step - 1]
        return f"Step {step}: {name} = {bugs.get(bug, formula)} = {written(wrong[key])}."
    before, after = number(right["loss"], 6), number(right["loss_new"], 6)
    text = f"With η = {number(lr)} the loss goes from {before} to {after}."
    if bug == "none":
        return text
    fell = wrong["loss_new"] < wrong["loss"]
    verdict = "It still falls." if fell else "It does not fall."
    return f"{text} With the bug “{bug}” it goes to {number(wrong['loss_new'], 6)}. {verdict}"


MOST_LAYERS = 12
WIDTHS = tuple(range(16, 513, 16))


class CostMeter(Explorable):
    """How many multiplications does a backward pass take, compared with a forward pass? (G-69)"""

    title = "What a backward pass costs"
    twin = "cost_meter"
    hidden = integer(1, 1, MOST_LAYERS, label="hidden layers")
    width = integer(256, 2, 512, label="units in a hidden layer")
    inputs = integer(784, 1, 1000, label="inputs")
    outputs = integer(10, 1, 100, label="outputs")
    halve = toggle(False, label="halve the width from layer to layer")
    input_grad = toggle(False, label="gradient of the input, too")
    presets: ClassVar = {
        "784-256-10": {},
        "784-128-64-10": {"width": 128, "hidden": 2, "halve": True},
        "nine layers of 100 × 100": {"width": 100, "hidden": 8, "inputs": 100, "outputs": 100},
    }

    @staticmethod
    def scene(
        hidden: int, width: int, inputs: int, outputs: int, halve: bool, input_grad: bool
    ) -> dict[str, Any]:
        def count(hidden: int, width: int) -> tuple[int, int]:
            return multiply_count(layer_sizes(hidden, width, inputs, outputs, halve), input_grad)

        forward, backward = count(hidden, width)
        depths = range(1, MOST_LAYERS + 1)
        by_depth = np.array([count(depth, width) for depth in depths], dtype=float)
        by_width = np.array([count(hidden, each) for each in WIDTHS], dtype=float)
        sizes = layer_sizes(hidden, width, inputs, outputs, halve)
        shape = "-".join(map(str, sizes))

        def counts(x: Any, here: float, counted: np.ndarray) -> list[dict[str, Any]]:
            return [
                curve(x, counted[:, 1], "backward", label="backward"),
                curve(x, counted[:, 0], "forward", label="forward"),
                points([here], [backward], "backward"),
                points([here], [forward], "forward"),
            ]

        def each(counted: np.ndarray) -> dict[str, Any]:
            return axis("multiplications per sample", 0, 1.1 * counted.max())

        deep = axis("hidden layers", 0, MOST_LAYERS + 1)
        ratio = number(backward / forward, 6)
        return figure(
            panel(*counts(list(depths), hidden, by_depth), x=deep, y=each(by_depth)),
            panel(*counts(WIDTHS, width, by_width), x=axis("units in a hidden layer", 0, 520), y=each(by_width)),
            panel(
                rule("muted", y=2, label="two forward passes"),
                curve(list(depths), by_depth[:, 1] / by_depth[:, 0], "backward"),
                points([hidden], [backward / forward], "backward", label=ratio),
                x=deep,
                y=axis("backward / forward", 1, 2.2),
            ),
            panel(
                table(
                    ["pass", "computes", "multiplications per sample"],
                    [
                        ["forward", "X W", str(forward)],
                        ["backward", "Xᵀ dZ, for the weights", str(forward)],
                        ["backward", "dZ Wᵀ, for the layer below", str(backward - forward)],
                        ["backward / forward", "", ratio],
                    ],
                    highlight=[3],
                ),
                title=shape,
                weight=3,
                height=210,
            ),
            words=f"The net {shape} takes {forward} multiplications forward and {backward}"
            f" backward: {ratio} times as many.",
        )  # fmt: skip


def layer_sizes(hidden: int, width: int, inputs: int, outputs: int, halve: bool) -> list[int]:
    """Units of each layer, from the inputs to the outputs.

    >>> layer_sizes(2, 128, 784, 10, True)
    [784, 128, 64, 10]
    """
    widths = [max(1, width // 2**k) if halve else width for k in range(hidden)]
    return [inputs, *widths, outputs]
