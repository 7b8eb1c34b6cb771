"""What layers can express (lecture 07): the collapse of linear ones, and folding by ReLUs."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from course.autodiff.activations import Identity, ReLU
from course.nn.layers import Linear, Pointwise
from course.nn.module import Module
from course.nn.sequential import Sequential
from course.validation import Array, affine_inputs, floats, whole


def collapse_linear(params: Iterable[tuple[ArrayLike, ArrayLike]]) -> tuple[Array, Array]:
    """Return the one layer W (D_in, D_out), b (D_out,) equal to affine layers in a row (P-22, G-51).

    `params` lists (W, b) from the input to the output, nothing non-linear between them.

    >>> W, b = collapse_linear([([[2.0]], [1.0]), ([[3.0]], [4.0])])  # 3 (2x + 1) + 4
    >>> W.item(), b.item()
    (6.0, 7.0)
    """
    layers = list(params)
    if not layers:
        raise ValueError("params is empty: expected at least one pair (W, b)")
    first = np.atleast_1d(floats("W", layers[0][0]))
    W, b = np.eye(len(first), dtype=first.dtype), np.zeros((1, len(first)), first.dtype)
    for weights, bias in layers:
        W, V, c = affine_inputs(W, weights, bias, columns=True)
        W, b = W @ V, b @ V + c
    return W, b[0]


def tent_network(k: int) -> Sequential:
    """Return a net of k hidden layers of 2 ReLUs that folds the interval 0..1 k times (row P-24).

    One layer is the tent map t(x) = 2 relu(x) - 4 relu(x - 1/2), up to 1 in the middle and down
    again; done k times it has `2**k` linear pieces, where one hidden layer would need `2**k - 1` units.

    >>> tent_network(2).forward([[0.0], [0.25], [0.5], [0.75], [1.0]]).ravel()
    array([0., 1., 0., 1., 0.])
    """
    k = whole("k", k, 1)
    fold, peak = np.array([[1.0, 1.0]]), np.array([[2.0], [-4.0]])
    modules: list[Module] = []
    for layer in range(k):
        modules += [Linear(peak @ fold if layer else fold, np.array([0.0, -0.5]))]
        modules += [Pointwise("relu")]
    return Sequential([*modules, Linear(peak.copy(), np.zeros(1))])


def linear_pieces(net: Sequential, low: float, high: float) -> int:
    """Return of how many linear pieces a ReLU net of one input consists between low and high.

    The kinks are computed layer by layer, not searched on a grid: between two known kinks every
    pre-activation is a straight line, so its zero, if there is one, is the next kink.

    >>> linear_pieces(tent_network(3), 0, 1)
    8
    """
    low, high = float(low), float(high)
    if not (np.isfinite([low, high]).all() and low < high):
        raise ValueError(f"expected finite low < high, got low={low}, high={high}")
    x = np.array([low, high])
    for i, module in enumerate(net.modules):
        if isinstance(module, Linear):
            continue
        if not isinstance(module, Pointwise) or module._operation not in (ReLU, Identity):
            raise ValueError(
                f"module {i} ({type(module).__name__}) is not piecewise linear as counted here: "
                "expected linear modules and ReLUs only"
            )
        if module._operation is ReLU:
            x = _with_zeros(x, Sequential(net.modules[:i])(x[:, None]).data)
    slopes = np.diff(net(x[:, None]).data, axis=0) / np.diff(x)[:, None]
    kinks = np.abs(np.diff(slopes, axis=0)) > 1e-9 * np.abs(slopes).max()
    return 1 + int(kinks.any(axis=1).sum())


def _with_zeros(x: Array, Z: Array) -> Array:
    """Return x (M,) and where the lines through Z (M, H) cross zero between its neighbours."""
    left, right = Z[:-1], Z[1:]
    i, j = np.nonzero(left * right < 0)
    share = left[i, j] / (left[i, j] - right[i, j])
    found = np.sort(np.concatenate([x, x[i] + share * (x[i + 1] - x[i])]))
    apart = np.diff(found) > 1e-12 * (x[-1] - x[0])  # one kink of several units is found once
    return np.concatenate([found[:-1][apart], x[-1:]])
