"""A 1-D set for lecture 11: what matters is a shape, wherever it lies.

A dense net has to learn each shape again at every position; a convolution learns it once.
"""

from __future__ import annotations

import numpy as np

from course.data.dataset import Dataset
from course.validation import number, whole

# Five shapes of nine samples with mean 0 and length 1, so neither level nor energy tells them.
_t = np.linspace(-1, 1, 9)
MOTIFS = {
    "bump": np.exp(-4 * _t**2),
    "dip": -np.exp(-4 * _t**2),
    "rise": _t,
    "fall": -_t,
    "wave": np.cos(2 * np.pi * _t),
}
MOTIFS = {
    name: (shape - shape.mean()) / np.linalg.norm(shape - shape.mean())
    for name, shape in MOTIFS.items()
}


def signals(
    rng: np.random.Generator, n: int = 1000, length: int = 48, noise: float = 0.12
) -> Dataset:
    """Return n signals `X` (n, length), each with one of five shapes hidden at a random place.

    Class k is the k-th of `MOTIFS`: bump, dip, rise, fall, wave. Position and strength (0.75 to
    1.25) vary, a slow swell and normal noise are added.
    """
    names = tuple(MOTIFS)
    n, width = whole("n", n, len(names)), len(_t)
    length = whole("length", length, 2 * width)
    if number("noise", noise) < 0:
        raise ValueError(f"noise is a standard deviation: expected 0 or more, got {noise}")
    y = rng.permutation(np.arange(n) % len(names))
    start = rng.integers(0, length - width + 1, n)
    strength = rng.uniform(0.75, 1.25, n)
    phase = rng.uniform(0, 2 * np.pi, n)
    swell = 0.3 * np.sin(2 * np.pi * np.arange(length) / length + phase[:, None])
    X = swell + noise * rng.normal(size=(n, length))
    shapes = np.stack(list(MOTIFS.values()))[y] * strength[:, None]
    X[np.arange(n)[:, None], start[:, None] + np.arange(width)] += shapes
    return Dataset("signals", X, y, names, kind="signal")
