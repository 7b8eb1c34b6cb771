"""Toy sets with one look: gates, blobs, Gaussians, moons, spirals, noisy curves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from course.data.dataset import Dataset
from course.validation import floats, number, whole

TWO_CLASSES = ("0", "1")
GATES = {
    "and": (0, 0, 0, 1),
    "or": (0, 1, 1, 1),
    "nand": (1, 1, 1, 0),
    "nor": (1, 0, 0, 0),
    "xor": (0, 1, 1, 0),
    "xnor": (1, 0, 0, 1),
}


def gates(name: str) -> Dataset:
    """Return the four corners 00, 01, 10, 11 and the outputs of a gate: 'and', 'xor', …

    >>> gates("xor").y
    array([0, 1, 1, 0])
    """
    if name not in GATES:
        raise ValueError(f"unknown gate {name!r}: expected one of {', '.join(GATES)}")
    X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    return Dataset(name, X, np.array(GATES[name]), TWO_CLASSES, ("a", "b"))


def blobs(rng: np.random.Generator, n: int = 100, margin: float = 1.0) -> Dataset:
    """Return two clouds in the plane with an empty strip of width `margin` between them.

    The strip runs through the origin in a random direction. With margin 0 the clouds touch;
    a negative margin lets them overlap by as much.
    """
    n, margin = whole("n", n, 2), number("margin", margin)
    y = _balanced(rng, n, 2)
    angle = rng.uniform(0, 2 * np.pi)
    across = np.array([np.cos(angle), np.sin(angle)])
    along = np.array([-across[1], across[0]])
    distance = margin / 2 + np.abs(rng.normal(size=n))
    X = np.outer((2 * y - 1) * distance, across) + np.outer(rng.normal(size=n), along)
    return Dataset("blobs", X, y, TWO_CLASSES)


def gaussians(
    rng: np.random.Generator,
    n: int = 200,
    mean0: ArrayLike = (0.0, 0.0),
    mean1: ArrayLike = (2.0, 1.0),
    covariance: ArrayLike = ((2.0, 0.5), (0.5, 1.0)),
    prior: float = 0.4,
) -> Dataset:
    """Return two Gaussian classes that share a covariance (row C-15; the values of C-18).

    mean0, mean1 (D,), covariance (D, D); `prior` is the probability of class 1. Each class
    gets at least one sample.
    """
    means = np.stack([floats("mean0", mean0, 1), floats("mean1", mean1, 1)])
    S, D = floats("covariance", covariance, 2), means.shape[1]
    if S.shape != (D, D) or not np.allclose(S, S.T) or np.linalg.eigvalsh(S)[0] < 0:
        raise ValueError(
            f"covariance has shape {S.shape} beside means of shape ({D},): expected a symmetric "
            f"matrix of shape ({D}, {D}) without negative eigenvalues"
        )
    if not 0 < number("prior", prior) < 1:
        raise ValueError(f"prior must lie strictly between 0 and 1, got {prior}")
    y = (rng.random(whole("n", n, 2)) < prior).astype(np.intp)
    y[:2] = rng.permutation(2)
    X = rng.multivariate_normal(np.zeros(D), S, size=n) + means[y]
    return Dataset("two Gaussians", X, y, TWO_CLASSES)


def moons(rng: np.random.Generator, n: int = 200, noise: float = 0.15) -> Dataset:
    """Return two half circles of radius 1 that reach into each other, with normal noise."""
    y = _balanced(rng, whole("n", n, 2), 2)
    angle = np.pi * rng.random(n)
    upper = np.column_stack([np.cos(angle), np.sin(angle)])
    X = np.where(y[:, None] == 0, upper, [1.0, 0.5] - upper)
    return Dataset("moons", X + _noise(rng, noise, X.shape), y, TWO_CLASSES)


def spirals(
    rng: np.random.Generator,
    n: int = 300,
    n_classes: int = 2,
    turns: float = 1.5,
    noise: float = 0.03,
) -> Dataset:
    """Return interleaved spiral arms, one a class, from the centre out to radius 1."""
    K = whole("n_classes", n_classes, 2)
    y = _balanced(rng, whole("n", n, K), K)
    # The square root spreads the samples evenly along an arm, which is longer further out.
    radius = 0.05 + 0.95 * np.sqrt(rng.random(n))
    angle = 2 * np.pi * (number("turns", turns) * radius + y / K)
    X = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    names = tuple(str(k) for k in range(K))
    return Dataset("spirals", X + _noise(rng, noise, X.shape), y, names)


def noisy_curve(
    rng: np.random.Generator,
    n: int = 10,
    noise: float = 0.2,
    f: Callable[[np.ndarray], np.ndarray] = lambda x: np.sin(2 * np.pi * x),
) -> Dataset:
    """Return n inputs on a grid over 0..1 with targets `f(x)` plus normal noise (row G-25).

    `X` is (n, 1). The curve is one period of a sine unless another `f` is given.
    """
    x = np.linspace(0, 1, whole("n", n, 1))
    return Dataset("noisy curve", x[:, None], f(x) + _noise(rng, noise, (n,)), features=("x",))


def polynomial(
    rng: np.random.Generator,
    n: int = 30,
    coefficients: ArrayLike = (0.0, -1.0, 0.0, 1.5),
    noise: float = 0.1,
) -> Dataset:
    """Return n random inputs in -1..1 with targets of a polynomial plus normal noise.

    `coefficients` (degree + 1,) start with the constant; `X` is (n, 1), in rising order.
    """
    c = floats("coefficients", coefficients, 1)
    x = np.sort(rng.uniform(-1, 1, whole("n", n, 1)))
    y = np.polynomial.polynomial.polyval(x, c) + _noise(rng, noise, (n,))
    return Dataset("polynomial", x[:, None], y, features=("x",))


def _balanced(rng: np.random.Generator, n: int, n_classes: int) -> np.ndarray:
    return rng.permutation(np.arange(n) % n_classes)


def _noise(rng: np.random.Generator, noise: float, shape: tuple[int, ...]) -> np.ndarray:
    if number("noise", noise) < 0:
        raise ValueError(f"noise is a standard deviation: expected 0 or more, got {noise}")
    return noise * rng.normal(size=shape)
