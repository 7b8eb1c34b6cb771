"""One picture in three techniques: the decision boundary of a logistic unit, for slider_latency."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from course.explore import Explorable, axis, figure, heat, panel, points, slider

rng = np.random.default_rng(0)
X = np.vstack([rng.normal((-1, -0.6), 0.9, (100, 2)), rng.normal((1, 0.6), 0.9, (100, 2))])
LABELS = np.repeat([0, 1], 100)
GRID = np.linspace(-4, 4, 100)


def surface(w1: float, w2: float, b: float) -> np.ndarray:
    """The unit's output over the plane, (100, 100)."""
    return 1 / (1 + np.exp(-(w1 * GRID[None, :] + w2 * GRID[:, None] + b)))


class Boundary(Explorable):
    """Computed in the browser."""

    title = "Decision boundary"
    twin: ClassVar[str | Path | None] = Path(__file__).parent / "_boundary.js"
    w1 = slider(1.5, -3, 3, step=0.1, label="weight w₁")
    w2 = slider(1.0, -3, 3, step=0.1, label="weight w₂")
    b = slider(0.0, -3, 3, step=0.1, label="bias b")

    def data(self) -> dict[str, Any]:
        return {"X": X, "labels": LABELS}

    @staticmethod
    def scene(w1: float, w2: float, b: float) -> dict[str, Any]:
        right = int(np.sum((X @ np.array([w1, w2]) + b >= 0) == (LABELS == 1)))
        values = surface(w1, w2, b)
        return figure(
            panel(
                heat(values, (-4, 4, -4, 4), scale="diverging", limits=(0, 1), opacity=0.6),
                points(X[LABELS == 0, 0], X[LABELS == 0, 1], "negative", size=7),
                points(X[LABELS == 1, 0], X[LABELS == 1, 1], "positive", size=7),
                x=axis("x₁", -4, 4),
                y=axis("x₂", -4, 4),
                height=400,
                equal=True,
            ),
            words=f"{right} of {len(X)} points lie on their side of the boundary.",
        )


class BoundaryFromKernel(Boundary):
    """The same picture, computed by Python at every step."""

    twin = None
    frames = {"w1": [-2.0, 0.0, 1.5]}


def interact_and_matplotlib() -> None:
    """The same picture as courses usually make it."""
    import ipywidgets
    import matplotlib.pyplot as plt

    def draw(w1: float, w2: float, b: float) -> None:
        plt.figure(figsize=(5, 4))
        plt.contourf(GRID, GRID, surface(w1, w2, b), levels=20, cmap="RdBu", alpha=0.6)
        plt.scatter(X[:, 0], X[:, 1], c=LABELS, cmap="RdBu", edgecolor="k", s=20)
        right = int(np.sum((X @ np.array([w1, w2]) + b >= 0) == (LABELS == 1)))
        plt.title(f"{right} of {len(X)}")
        plt.show()

    sliders = {
        name: ipywidgets.FloatSlider(value, min=-3, max=3, step=0.1, description=name)
        for name, value in (("w1", 1.5), ("w2", 1.0), ("b", 0.0))
    }
    ipywidgets.interact(draw, **sliders)
