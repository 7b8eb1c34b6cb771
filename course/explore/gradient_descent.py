"""Lecture 06: gradient descent on a curve, and on the map of the loss of a line."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from course.explore import (
    Explorable,
    axis,
    choice,
    curve,
    figure,
    number,
    panel,
    play,
    points,
    rule,
    slider,
)
from course.explore.scene import Mark, Panel, Scene
from course.linear import gradients
from course.optim import gradient_descent

FAR = 100.0
"""A place farther from 0 than this counts as diverged; no run of this lecture returns from there."""

Function = Callable[[Any], Any]


def quartic(theta: Any) -> Any:
    """The loss of rows C-42 to C-44, θ⁴/4 − θ² + 0.3 θ: two valleys, of which the left is deeper."""
    return theta * theta * theta * theta / 4 - theta * theta + 0.3 * theta


def quartic_slope(theta: Any) -> Any:
    """Derivative of `quartic`; zero at −1.48397, 0.151747 (the hilltop) and 1.33222."""
    return theta * theta * theta - 2 * theta + 0.3


def parabola(theta: Any) -> Any:
    """θ², with curvature 2 everywhere: one step multiplies θ by 1 − 2 lr."""
    return theta * theta


def parabola_slope(theta: Any) -> Any:
    """Derivative of `parabola`."""
    return 2 * theta


CURVES: dict[str, tuple[Function, Function, dict[str, float]]] = {
    # name: the loss, its slope, and where its minima are
    "two valleys": (
        quartic,
        quartic_slope,
        {"global minimum": -1.483967893197726, "local minimum": 1.3322207371911867},
    ),
    "parabola": (parabola, parabola_slope, {"minimum": 0.0}),
}
HILLTOP = 0.1517471560065392


def walk(loss: str, start: float, lr: float, steps: int) -> np.ndarray:
    """The places of a run of gradient descent on one of `CURVES`, (n,), the start first.

    Ends with the first place farther than `FAR` from 0, if there is one.

    >>> walk("parabola", 1.0, 0.1, 10)[-1].round(6)
    np.float64(0.107374)
    """
    dJ = CURVES[loss][1]

    def slope(theta: np.ndarray) -> np.ndarray:
        return np.where(np.abs(theta) > FAR, 0.0, dJ(theta))  # stays where it is, once lost

    return until_far(gradient_descent(slope, np.array([start]), lr, steps))[:, 0]


def until_far(path: np.ndarray) -> np.ndarray:
    """The rows of `path` (n, d) up to the first with an entry beyond `FAR`, that one included."""
    far = (np.abs(path) > FAR).any(axis=1)
    return path[: far.argmax() + 1] if far.any() else path


class Descent(Explorable):
    """Gradient descent on a curve, and the parabola whose minimum is the next step (C-40)."""

    title = "Gradient descent on a curve"
    twin = "descent"
    presets = {
        "local": dict(loss="two valleys", start=2.0, lr=0.1, steps=20),
        "global": dict(loss="two valleys", start=-0.2, lr=0.05, steps=50),
        "divergent": dict(loss="two valleys", start=2.5, lr=0.5, steps=3),
    }

    lr = slider(0.05, 0.01, 1.2, step=0.01, label="learning rate η")
    steps = play(2, 0, 50, interval=400, label="steps")
    start = slider(2.5, -2.5, 2.5, step=0.05, label="start θ₀")
    loss = choice(list(CURVES), label="loss")

    @staticmethod
    def scene(lr: float, steps: int, start: float, loss: str) -> Scene:
        """The curve with the places so far, the next step's parabola, and the loss step by step."""
        J, dJ, minima = CURVES[loss]
        path = walk(loss, start, lr, steps)
        here, losses = path[-1], J(path)
        diverged = abs(here) > FAR
        grid = np.linspace(-3.2, 3.2, 129)
        marks = [curve(grid, J(grid), "loss", label="loss J"), walked(path, losses)]
        if not diverged:
            ahead = here - lr * dJ(here)
            bowl = losses[-1] + (grid - here) * dJ(here) + (grid - here) ** 2 / (2 * lr)
            lowest = losses[-1] - lr * dJ(here) ** 2 / 2
            marks += [
                curve(grid, bowl, "gradient", dash=True, width=2),
                points([ahead], [lowest], "gradient", label="next", size=13, shape="ring"),
                points([here], [losses[-1]], "path", label=f"step {len(path) - 1}", size=13),
            ]
        floors = [rule("muted", y=J(at), label=name) for name, at in minima.items()]
        return figure(
            panel(
                *marks,
                x=axis("parameter θ", -3.2, 3.2),
                y=axis("loss", -2, 10),
                height=400,
                weight=1.4,
            ),
            panel(
                *floors,
                curve(np.arange(len(path)), losses, "loss", width=2, dots=True),
                x=axis("step", -1, 51),
                y=axis("loss", -2, 10),
                height=400,
            ),
            words=f"Step {len(path) - 1}: θ = {number(here, 6)}, loss {number(losses[-1], 6)}. "
            + verdict(loss, path, lr),
        )


def verdict(loss: str, path: np.ndarray, lr: float) -> str:
    """What the last place of a run tells about it."""
    J, dJ, minima = CURVES[loss]
    here = path[-1]
    if abs(here) > FAR:
        return f"Diverged at step {len(path) - 1}: each step lands farther away than the last."
    if abs(dJ(here)) < 1e-3:
        name, at = min(minima.items(), key=lambda item: abs(item[1] - here))
        if abs(at - here) < 0.01:
            return f"Settled in the {name}."
        return "Almost at rest on the hilltop, where the slope is nearly zero."
    if len(path) > 1 and J(here) > J(path[-2]):
        return "The last step went uphill: the rate is too large here."
    if len(path) > 1 and dJ(here) * dJ(path[-2]) < 0:
        return "The last step jumped across to the other side."
    return f"Going down: the next step leads to θ = {number(here - lr * dJ(here), 6)}."


# A line through 64 points: the data of the moving line, the race and the noise meter.

N = 64
RANGE_W, RANGE_B = (-1.5, 3.5), (-2.5, 2.5)


def race_data() -> tuple[np.ndarray, np.ndarray]:
    """64 points along y = 1.5 x − 1 with noise of standard deviation 0.5: X (64, 1), y (64,)."""
    rng = np.random.default_rng(6)
    X = rng.uniform(0, 2, (N, 1))
    return X, 1.5 * X[:, 0] - 1 + rng.normal(0, 0.5, N)


def grad_on_batch(theta: np.ndarray, X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Gradient of the cost at theta = (w, b), shape (2,); 0 once theta is lost beyond `FAR`."""
    if (np.abs(theta) > FAR).any():
        return np.zeros(2)  # a run that diverged stays where it is, instead of overflowing
    dw, db = gradients(X, y, theta[:1], theta[1])
    return np.append(dw, db)


@cache
def bowl() -> dict[str, np.ndarray]:
    """The loss as a bowl: its lowest point `best` (2,), its `hessian` (2, 2), and rings to draw.

    The loss is quadratic, so ½ (θ − best)ᵀ hessian (θ − best) is exactly its height above `best`.
    """
    X, y = race_data()
    X1 = np.column_stack([X, np.ones(N)])
    best = np.linalg.lstsq(X1, y, rcond=None)[0]
    curvature, axes = np.linalg.eigh(X1.T @ X1 / N)
    turn = np.linspace(0, 2 * np.pi, 49)
    circle = np.column_stack([np.cos(turn), np.sin(turn)])
    heights = (0.01, 0.05, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
    gap = np.full((1, 2), np.nan)
    rings = [
        part for h in heights for part in (best + circle * np.sqrt(2 * h / curvature) @ axes.T, gap)
    ]
    return dict(best=best, hessian=X1.T @ X1 / N, rings=np.concatenate(rings).astype(np.float32))


def height(path: np.ndarray) -> np.ndarray:
    """Loss above the minimum for each row of `path` (n, 2): shape (n,)."""
    d = path - bowl()["best"]
    return ((d @ bowl()["hessian"]) * d).sum(axis=1) / 2


def map_panel(*marks: Mark) -> Panel:
    """The map of the loss over (w, b) with marks on it."""
    rings, best = bowl()["rings"], bowl()["best"]
    return panel(
        curve(rings[:, 0], rings[:, 1], "muted", width=1),
        points([best[0]], [best[1]], "loss", label="minimum", size=11),
        *marks,
        x=axis("weight w", *RANGE_W),
        y=axis("bias b", *RANGE_B),
        height=380,
    )


def walked(x: Any, y: Any) -> Mark:
    """The places of a run, joined."""
    return curve(x, y, "path", width=2, dots=True)


class MovingLine(Explorable):
    """A point walks over the map of the loss, and its line moves through the data (G-22)."""

    title = "A point on the map is a line through the data"
    twin = "moving_line"

    lr = slider(0.4, 0.01, 1.0, step=0.01, label="learning rate η")
    steps = play(4, 0, 60, interval=300, label="steps")

    def data(self) -> dict[str, Any]:
        X, y = race_data()
        return dict(x=X[:, 0], y=y, **bowl())

    @staticmethod
    def scene(lr: float, steps: int) -> Scene:
        """Left the path over (w, b), right the line it has reached."""
        X, y = race_data()
        path = until_far(
            gradient_descent(lambda theta: grad_on_batch(theta, X, y), (3.0, 1.5), lr, steps)
        )
        w, b = path[-1]
        best = bowl()["best"]
        ends = np.array([0.0, 2.0])
        return figure(
            map_panel(walked(path[:, 0], path[:, 1]), points([w], [b], "model", size=13)),
            panel(
                points(X[:, 0], y, "data", size=7),
                curve(ends, best[0] * ends + best[1], "loss", dash=True, width=2),
                curve(ends, w * ends + b, "model"),
                x=axis("x", 0, 2),
                y=axis("y", -2.5, 3),
                height=380,
            ),
            words=f"Step {len(path) - 1}: line ŷ = {number(w)} x {'−' if b < 0 else '+'} {number(abs(b))},"
            f" {number(height(path)[-1])} above the smallest loss.",
        )
