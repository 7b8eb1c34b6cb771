"""Lecture 06: stochastic gradients: the race of batch sizes, and a meter of their noise."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from course.explore import (
    Explorable,
    axis,
    bars,
    choice,
    curve,
    figure,
    integer,
    number,
    panel,
    play,
    points,
    rule,
    slider,
)
from course.explore.gradient_descent import (
    FAR,
    N,
    bowl,
    grad_on_batch,
    height,
    map_panel,
    race_data,
    until_far,
)
from course.explore.scene import Scene
from course.optim import minibatches, sgd

START = (-1.0, 2.0)
EPOCHS = 40

# Black is the reference, and a step along one bare sample gradient has the gradient's colour.
RUNNERS = (("all 64", "ink"), ("minibatch", "path"), ("single", "gradient"))


class ContourRace(Explorable):
    """Batch, minibatch and single-sample descent from one start (C-48, T-08)."""

    title = "Batch, minibatch, single sample: the race"
    twin = "contour_race"

    lr = slider(0.2, 0.01, 1.0, step=0.01, label="learning rate η")
    steps = play(20, 0, EPOCHS, interval=300, label="minibatch updates")
    batch_size = integer(8, 1, N, label="batch size B")
    count = choice(["updates", "samples"], label="equal number of")

    def data(self) -> dict[str, Any]:
        X, y = race_data()
        rng = np.random.default_rng(1)
        order = np.array([rng.permutation(N) for _ in range(EPOCHS)], dtype=np.uint8)
        return dict(x=X[:, 0], y=y, order=order, **bowl())

    @staticmethod
    def scene(lr: float, steps: int, batch_size: int, count: str) -> Scene:
        """Left the three paths on the map, right the loss over what is counted."""
        sizes = (N, batch_size, 1)
        seen = samples_seen(batch_size, steps)[-1]
        paths, curves, told = [], [], []
        for (name, role), size in zip(RUNNERS, sizes, strict=True):
            samples = samples_seen(size, steps if count == "updates" else seen)
            if count == "samples":
                samples = samples[samples <= seen]
            full, path = len(samples), race_path(size, lr, len(samples) - 1)
            samples, heights = samples[: len(path)], height(path)
            across = np.arange(len(path)) if count == "updates" else samples
            paths.append(curve(path[:, 0], path[:, 1], role, width=2, dots=role != "gradient"))
            curves.append(curve(across, np.maximum(heights, 1e-6), role, width=2, label=name))
            fate = f"{number(heights[-1], 3)} above the minimum"
            if len(path) < full or (np.abs(path[-1]) > FAR).any():
                fate = f"diverged at update {len(path) - 1}"
            told.append(f"{name}: {fate} ({len(path) - 1} updates, {samples[-1]} samples)")
        reach = EPOCHS if count == "updates" else max(N, seen)
        return figure(
            map_panel(*paths[::-1]),
            panel(
                *curves[::-1],
                x=axis("updates" if count == "updates" else "samples seen", 0, reach),
                y=axis("loss above the minimum", 1e-4, 10, log=True),
                height=380,
            ),
            words="; ".join(told) + ".",
        )


def samples_seen(batch_size: int, updates: int) -> np.ndarray:
    """Samples seen after 0, 1, ..., `updates` updates; the last batch of an epoch may be small."""
    k = np.arange(updates + 1)
    per_epoch = -(-N // batch_size)
    return k // per_epoch * N + k % per_epoch * batch_size


def race_path(batch_size: int, lr: float, updates: int) -> np.ndarray:
    """The places (n, 2) of `sgd` from `START`; all runners see the samples in the same order."""
    X, y = race_data()
    epochs = -(-updates // len(minibatches(N, batch_size, np.random.default_rng(1))))
    rng = np.random.default_rng(1)
    run = sgd(grad_on_batch, np.array(START), X, y, lr, batch_size, epochs, rng)
    return until_far(run["history"][: updates + 1])


SIZES = (1, 2, 4, 8, 16, 32, 64)
PLACES = {"at the start": START, "half way": (0.4, 0.3), "near the minimum": (1.45, -0.95)}
BINS = 41


@cache
def noise() -> dict[str, np.ndarray]:
    """Gradients of 4000 random batches of each of `SIZES`, at each of `PLACES`.

    A batch gradient is told by its part along the full gradient. `share` (places, sizes, bins):
    the histograms; `centre` (places, bins); `truth` (places,): the length of the full gradient;
    `spread` (places, sizes): measured standard deviations; `single` (places,): the exact one of
    single samples; `uphill` (places, sizes): the share of batches that point uphill.
    """
    X, y = race_data()
    rng = np.random.default_rng(9)
    orders = rng.permuted(np.tile(np.arange(N), (4000, 1)), axis=1)
    found: dict[str, list[Any]] = {
        name: [] for name in ("share", "centre", "truth", "spread", "single", "uphill")
    }
    for place in PLACES.values():
        theta = np.array(place)
        full = grad_on_batch(theta, X, y)
        each = np.array([grad_on_batch(theta, X[[i]], y[[i]]) for i in range(N)])
        along = each @ full / np.linalg.norm(full)
        draws = [along[orders[:, :size]].mean(axis=1) for size in SIZES]
        # 0 is an edge between two bins, so that no bar is half uphill.
        width = (along.max() - along.min()) / (BINS - 2)
        edges = (np.floor(along.min() / width) + np.arange(BINS + 1)) * width
        found["share"].append([np.histogram(d, edges)[0] / len(d) for d in draws])
        found["centre"].append((edges[:-1] + edges[1:]) / 2)
        found["truth"].append(np.linalg.norm(full))
        found["spread"].append([d.std() for d in draws])
        found["single"].append(along.std())
        found["uphill"].append([(d < 0).mean() for d in draws])
    return {name: np.array(values) for name, values in found.items()}


class NoiseMeter(Explorable):
    """How far the gradients of random batches scatter around the full gradient (T-09)."""

    title = "How noisy is the gradient of a batch?"
    twin = "noise_meter"

    batch_size = choice(list(SIZES), label="batch size B", control="slider")
    place = choice(list(PLACES), label="place")

    def data(self) -> dict[str, Any]:
        return dict(noise(), sizes=np.array(SIZES), places=list(PLACES))

    @staticmethod
    def scene(batch_size: int, place: str) -> Scene:
        """Left the histogram of the batch gradients, right their spread over the batch size."""
        k, i = SIZES.index(batch_size), list(PLACES).index(place)
        found = {name: values[i] for name, values in noise().items()}
        width = found["centre"][1] - found["centre"][0]
        sizes = np.array(SIZES)
        exact = found["single"] / np.sqrt(sizes) * np.sqrt((N - sizes) / (N - 1))
        spread = found["spread"][k]
        return figure(
            panel(
                bars(
                    found["centre"],
                    found["share"][k],
                    ["negative" if c < 0 else "positive" for c in found["centre"]],
                    width=width,
                ),
                rule("muted", x=0.0, label="downhill →"),
                rule("target", x=found["truth"], label="all 64 samples", dash=False),
                x=axis(
                    "batch gradient along the full gradient",
                    found["centre"][0] - width / 2,
                    found["centre"][-1] + width / 2,
                ),
                y=axis("share of 4000 batches", 0, 1.1 * found["share"][k].max()),
                weight=1.4,
            ),
            panel(
                curve(sizes, exact, "gradient", width=2),
                points(sizes, found["spread"], "gradient", size=7),
                points([batch_size], [spread], "path", size=13),
                x=axis("batch size B", 0.8, 80, log=True, ticks=SIZES),
                y=axis("spread", 0, 1.1 * found["single"]),
            ),
            words=f"Batches of {batch_size}, {place}: full gradient {number(found['truth'], 3)},"
            f" spread {number(spread if spread > 1e-12 else 0, 3)},"
            f" {number(100 * found['uphill'][k], 3)} % of the batches point uphill.",
        )
