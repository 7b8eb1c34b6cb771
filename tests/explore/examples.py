"""Small explorables that use the whole kit, for its tests and its benchmark."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from course.explore import (
    Explorable,
    arrow,
    axis,
    band,
    bars,
    boxes,
    choice,
    contours,
    curve,
    edge,
    figure,
    graph,
    heat,
    image,
    images,
    integer,
    node,
    number,
    panel,
    play,
    points,
    rule,
    slider,
    table,
    text,
    toggle,
)

HERE = Path(__file__).parent


class Boundary(Explorable):
    """Where does a logistic unit put its boundary? Computed in the browser."""

    title = "Logistic unit"
    twin = HERE / "boundary.js"
    w1 = slider(1.5, -3, 3, step=0.1, label="weight w₁")
    w2 = slider(1.0, -3, 3, step=0.1, label="weight w₂")
    scale = slider(1.0, 0.1, 10, log=True, label="scale k")
    kind = choice(["sigmoid", "step", "linear"], label="output")
    step = play(0, 0, 20, label="step")
    grid = toggle(True, label="show the surface")
    presets = {"upright": dict(w1=1.0, w2=0.0), "flat": dict(w1=0.0, w2=1.0)}

    def data(self) -> dict:
        return dict(X=points_of_data())

    @staticmethod
    def scene(w1, w2, scale, kind, step, grid):
        X = points_of_data()
        g = np.linspace(-4, 4, 41)
        z = scale * (w1 * g[None, :] + w2 * g[:, None])
        output = dict(
            sigmoid=lambda z: 1 / (1 + np.exp(-z)),
            step=lambda z: (z >= 0) * 1.0,
            linear=lambda z: z,
        )[kind]
        surface = [heat(output(z), (-4, 4, -4, 4), scale="diverging", limits=(0, 1))]
        hit = int(np.sum(X @ np.array([w1, w2]) >= 0))
        return figure(
            panel(
                *(surface if grid else []),
                points(X[: len(X) // 2, 0], X[: len(X) // 2, 1], "negative", label="class 0"),
                points(X[len(X) // 2 :, 0], X[len(X) // 2 :, 1], "positive", label="class 1"),
                arrow((0, 0), (w1, w2), "model", label="w"),
                x=axis("x₁", -4, 4), y=axis("x₂", -4, 4), equal=True, title="Plane", height=420,
            ),
            panel(
                curve(g, output(scale * g), "model", label=kind),
                rule("muted", x=0.2 * step, label="step"),
                x=axis("pre-activation z", -4, 4), y=axis("output h", -1, 2),
            ),
            words=f"Weights {number(w1)} and {number(w2)}: {hit} of {len(X)} points on the side of 1.",
        )  # fmt: skip


def points_of_data() -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.vstack([rng.normal((-1, -0.6), 0.9, (30, 2)), rng.normal((1, 0.6), 0.9, (30, 2))])


class Everything(Explorable):
    """Every mark once, computed by the kernel."""

    title = "Every mark"
    n = integer(5, 2, 12, label="how many")
    lr = slider(0.1, 0.01, 1, log=True, label="learning rate η")
    frames = dict(n=[2, 5, 12], lr=[0.01, 0.1, 1.0])

    @staticmethod
    def scene(n, lr):
        t = np.linspace(-2, 2, 41)
        bowl = t[None, :] ** 2 + 3 * t[:, None] ** 2
        path = np.array([[1.8 * (1 - lr) ** k, 1.5 * (1 - 3 * lr) ** k] for k in range(n)])
        digits = np.arange(n * 64).reshape(n, 8, 8) % 17 * 1.0
        return figure(
            panel(
                heat(bowl, (-2, 2, -2, 2)),
                contours(bowl, (-2, 2, -2, 2), [0.5, 2, 5, 9], "loss"),
                curve(path[:, 0], path[:, 1], "path", dots=True, label="path"),
                x=axis("θ₁", -2, 2), y=axis("θ₂", -2, 2), title="Contours",
            ),
            panel(
                bars(np.arange(n), np.arange(n) ** 2 + 1.0, "model", labels=[str(k) for k in range(n)]),
                band([0, n - 1], [1, 2], [3, 6], "gradient"),
                rule("target", y=4, label="target"),
                x=axis("unit"), y=axis("count"), title="Bars",
            ),
            panel(
                curve(np.arange(1, 30), 0.9 ** np.arange(1, 30) * lr, "loss", label="train"),
                curve(np.arange(1, 30), 0.92 ** np.arange(1, 30) * lr, "model", dash=True, label="valid"),
                x=axis("step"), y=axis("loss", log=True), title="Log axis",
            ),
            panel(images(digits, columns=4, labels=[str(k % 10) for k in range(n)],
                         roles=["positive" if k % 2 else "negative" for k in range(n)]), title="Digits"),
            panel(
                graph(
                    [node("x", 0, 1, "x", value="2"), node("y", 0, 0, "y", value="−1", gradient="−4"),
                     node("+", 1, 0.5, "+", value="1", gradient="−4", state="current"),
                     node("L", 2, 0.5, "L", state="waiting")],
                    [edge("x", "+"), edge("y", "+", backward=True, label="1"), edge("+", "L", state="waiting")],
                ),
                title="Graph",
            ),
            panel(table(["θ", "value", "gradient"], [["w₁", 1.5, -0.25], ["w₂", float(n), lr]],
                        highlight=[1], roles=["ink", "model", "gradient"]), title="Table"),
            panel(boxes([0, 2], [0, 0], [1.5, 1], [1, 1.5], "model", labels=["X (3, 2)", "W"]),
                  text(1, -0.4, "X @ W"), arrow((0, -0.6), (2.5, -0.6), "gradient"),
                  points([2.7], [0.2], "target", shape="ring", size=14), title="Shapes"),
            panel(image(np.eye(n), (0, n, 0, n)), x=axis("column", 0, n), y=axis("row", 0, n), equal=True),
            words=f"{n} of everything, with η = {number(lr)}.",
        )  # fmt: skip


class Training(Explorable):
    """A run that shows itself while it goes on."""

    title = "A live loss curve"
    lr = slider(0.1, 0.01, 1, log=True, label="learning rate η")
    frames = dict(lr=[0.01, 0.1, 1.0])

    @staticmethod
    def scenes(lr):
        losses = [1.0]
        for epoch in range(1, 41):
            losses.append(losses[-1] * (1 - 0.2 * lr))
            yield figure(
                panel(
                    curve(np.arange(epoch + 1), losses, "loss", label="loss"),
                    x=axis("epoch", 0, 40), y=axis("loss", 0, 1),
                ),
                words=f"After {epoch} epochs with η = {number(lr)} the loss is {number(losses[-1])}.",
            )  # fmt: skip
