"""The formulas that models and nets share, over arrays of floats that have been checked already.

`course.logistic`, `course.softmax` and `course.linear` check their arguments and compute with these;
so do the operations of `course.autodiff`, which cannot afford a check at every node.  None of them
changes its arguments, and float32 stays float32.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def sigmoid(z: Array) -> Array:
    """Return `1 / (1 + exp(-z))` (row C-17)."""
    with np.errstate(over="ignore"):  # exp(-z) is infinite for large -z, and 1 / inf is 0
        return 1 / (1 + np.exp(-z))


def softplus(z: Array) -> Array:
    """Return `log(1 + exp(z))`; nothing overflows in `exp(-|z|)`."""
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def binary_cross_entropy(z: Array, y: Array) -> Any:
    """Return the mean of `softplus(z) - y z` for logits z and targets y of one shape (row G-31)."""
    return np.mean(softplus(z) - y * z)


def binary_cross_entropy_grad(z: Array, y: Array) -> Array:
    """Return its derivative by the logits: prediction minus target, over their number."""
    return (sigmoid(z) - y) / z.size


def cross_entropy(Z: Array, y: Array) -> tuple[Any, Array]:
    """Return the mean of `-log softmax(Z)[n, y[n]]`, and its derivative (N, K) by Z.

    Logits Z (N, K), classes y (N,).  In each row, with `s = z - max(z)`: the loss is
    `log(sum(exp(s))) - s[y]`, the derivative `p - one_hot(y)` for `p = exp(s) / sum(exp(s))`, over
    N (rows G-36 to G-39).  One array serves for s, exp(s), p and the derivative.
    """
    N, K = Z.shape
    starts = row_starts(N, K)
    chosen = starts + y
    highest = Z.reshape(-1)[starts + Z.argmax(axis=1)]
    P = np.subtract(Z, highest[:, None], order="C")
    flat = P.reshape(-1)  # the same memory
    chosen_scores = flat[chosen]
    np.exp(P, out=P)
    total = P.dot(ones(K, P.dtype))
    loss = np.add.reduce(np.log(total) - chosen_scores) / N
    total *= N
    P /= total[:, None]
    flat[chosen] -= 1 / N
    return loss, P


def half_mean_square(residual: Array) -> Any:
    """Return ½ the mean over rows of ‖residual‖², for (N,), (N, K) or () (rows G-09, T-23)."""
    flat = residual.reshape(-1)
    return flat @ flat / (2 * (len(residual) if residual.ndim else 1))


@lru_cache(maxsize=64)
def row_starts(n: int, k: int) -> NDArray[np.intp]:
    """Return where the rows of an (n, k) array begin when it is read as one long row."""
    starts = np.arange(0, n * k, k)
    starts.setflags(write=False)
    return starts


@lru_cache(maxsize=64)
def ones(n: int, dtype: np.dtype) -> Array:
    """Return n ones, the same read-only array each time: `ones @ A` sums columns in half the time."""
    array = np.ones(n, dtype)
    array.setflags(write=False)
    return array
