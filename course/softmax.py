"""Softmax and cross-entropy: match output unit and loss, and the gradient is `p - y`.

>>> softmax([[1.0, 2.0, 3.0]]).round(6)
array([[0.090031, 0.244728, 0.665241]])
>>> round(cross_entropy([[1000.0, 1001.0]], [0]), 6)
1.313262
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from course import formulas
from course.logistic import bce_with_logits, bce_with_logits_grad, sigmoid
from course.validation import (
    Array,
    affine_inputs,
    floats,
    labels,
    number,
    same_rows,
    same_shape,
    whole,
)


def log_softmax(Z: ArrayLike) -> Array:
    """Return the logarithms (N, K) of the softmax of each row of the logits Z (N, K).

    `z - log(sum(exp(z)))`, with the row's largest logit taken off first: the softmax does not
    change when a row is shifted, and exp cannot overflow (row G-36).
    """
    Z = floats("Z", Z, 2)
    shifted = Z - Z.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def softmax(Z: ArrayLike) -> Array:
    """Return class probabilities (N, K): `exp(z_k) / sum_j exp(z_j)` in each row of Z (N, K)."""
    Z = floats("Z", Z, 2)
    E = np.exp(Z - Z.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True)


def softmax_jacobian(p: ArrayLike) -> Array:
    """Return `dp_i/dz_j = p_i (1[i = j] - p_j)` (K, K) for probabilities p (K,) (row C-35)."""
    p = floats("p", p, 1)
    if (p < 0).any() or not np.isclose(p.sum(), 1, atol=1e-6):
        raise ValueError(f"p must hold probabilities that sum to 1, got sum {p.sum():g}")
    return np.diag(p) - np.outer(p, p)


def one_hot(y: ArrayLike, K: int) -> Array:
    """Return targets (N, K) with a 1 in column `y[n]` of row n, else 0 (row G-34).

    >>> one_hot([2, 0], 3)
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """
    y = labels("y", y, whole("K", K, 1))
    Y = np.zeros((len(y), K))
    Y[np.arange(len(y)), y] = 1
    return Y


def cross_entropy(Z: ArrayLike, y: ArrayLike) -> float:
    """Return the mean of `-log softmax(Z)[n, y[n]]`: logits Z (N, K), classes y (N,).

    Softmax and logarithm are one step, so no probability rounds to 0 on the way (row G-38).
    """
    Z = floats("Z", Z, 2)
    y = labels("y", y, Z.shape[1])
    same_rows("Z", Z, "y", y)
    return float(formulas.cross_entropy(Z, y)[0])


def cross_entropy_grad(Z: ArrayLike, y: ArrayLike) -> Array:
    """Return the derivative (N, K) of `cross_entropy` by the logits: `(p - one_hot(y)) / N`."""
    Z = floats("Z", Z, 2)
    y = labels("y", y, Z.shape[1])
    same_rows("Z", Z, "y", y)
    return formulas.cross_entropy(Z, y)[1]


def softmax_gradients(
    X: ArrayLike, y: ArrayLike, W: ArrayLike, b: ArrayLike
) -> tuple[Array, Array]:
    """Return `(dW (D, K), db (K,))` of softmax regression: X (N, D), y (N,), W (D, K), b (K,)."""
    X, W, b = affine_inputs(X, W, b, columns=True)
    dZ = cross_entropy_grad(X @ W + b, y)
    return X.T @ dZ, dZ.sum(axis=0)


def multilabel_bce(Z: ArrayLike, Y: ArrayLike) -> float:
    """Return binary cross-entropies summed over labels, mean over samples (row H-33).

    Logits Z (N, K); targets Y (N, K) of 0 and 1, any number of ones in a row.
    """
    Z, Y = floats("Z", Z, 2), floats("Y", Y, 2)
    same_shape("Z", Z, "Y", Y)
    return bce_with_logits(Z.ravel(), Y.ravel()) * Z.shape[1]


def multilabel_bce_grad(Z: ArrayLike, Y: ArrayLike) -> Array:
    """Return the derivative (N, K) of `multilabel_bce` by the logits: `(sigmoid(Z) - Y) / N`."""
    Z, Y = floats("Z", Z, 2), floats("Y", Y, 2)
    same_shape("Z", Z, "Y", Y)
    return bce_with_logits_grad(Z.ravel(), Y.ravel()).reshape(Z.shape) * Z.shape[1]


def squared_error(Z: ArrayLike, Y: ArrayLike) -> float:
    """Return half the squared distance of rows Z, Y (N, K), mean over samples (row H-32)."""
    Z, Y = floats("Z", Z, 2), floats("Y", Y, 2)
    same_shape("Z", Z, "Y", Y)
    return float(formulas.half_mean_square(Z - Y))


def squared_error_grad(Z: ArrayLike, Y: ArrayLike) -> Array:
    """Return the derivative (N, K) of `squared_error` by Z: `(Z - Y) / N`."""
    Z, Y = floats("Z", Z, 2), floats("Y", Y, 2)
    same_shape("Z", Z, "Y", Y)
    return (Z - Y) / len(Z)


# ---------------------------------------------------------------- output unit and loss by task


@dataclass(frozen=True)
class Output:
    """The output unit and loss that belong together for a task.

    `unit(Z)` turns logits into predictions `Y_hat`, `loss(Z, Y)` is a mean over samples, and
    `grad(Z, Y)` its derivative by the logits, in every case `(Y_hat - Y) / N`. The targets of
    'multiclass' are class numbers (N,), those of the others have the shape of Z.
    """

    unit_name: str
    loss_name: str
    unit: Callable[[ArrayLike], Array]
    loss: Callable[[ArrayLike, ArrayLike], float]
    grad: Callable[[ArrayLike, ArrayLike], Array]


def _linear(Z: ArrayLike) -> Array:
    return floats("Z", Z, 2).copy()


OUTPUTS = {
    "regression": Output("linear", "squared error", _linear, squared_error, squared_error_grad),
    "binary": Output(
        "sigmoid", "binary cross-entropy", sigmoid, multilabel_bce, multilabel_bce_grad
    ),
    "multiclass": Output("softmax", "cross-entropy", softmax, cross_entropy, cross_entropy_grad),
    "multilabel": Output(
        "sigmoid", "binary cross-entropy", sigmoid, multilabel_bce, multilabel_bce_grad
    ),
}


def output(task: str) -> Output:
    """Return output unit, loss and gradient for a task, as functions of the logits (row H-35)."""
    if task not in OUTPUTS:
        raise ValueError(f"unknown task {task!r}: expected one of {', '.join(OUTPUTS)}")
    return OUTPUTS[task]


def output_for(task: str) -> tuple[str, str]:
    """Return the names of output unit and loss that belong to a task.

    >>> output_for("multiclass")
    ('softmax', 'cross-entropy')
    """
    return output(task).unit_name, output(task).loss_name


def expected_score(p: float, q: ArrayLike, score: str = "log") -> Array:
    """Return the expected loss of forecasting q when an event has probability p (row G-32).

    `score` is 'log' (cross-entropy), 'squared' or 'absolute'. The first two are proper: least
    at q = p. The absolute error is not: it is least at 0 or 1.
    """
    p, q = number("p", p), floats("q", q)
    if not 0 <= p <= 1 or (q < 0).any() or (q > 1).any():
        raise ValueError("p and q are probabilities: expected values in 0..1")
    if score == "log":
        if ((q == 0) & (p > 0)).any() or ((q == 1) & (p < 1)).any():
            raise ValueError("a forecast of 0 or 1 that can be wrong costs infinity: keep q inside")
        with np.errstate(divide="ignore", invalid="ignore"):
            hit = np.where(p > 0, -p * np.log(q), 0)
            miss = np.where(p < 1, -(1 - p) * np.log1p(-q), 0)
        return hit + miss
    if score == "squared":
        return p * (1 - q) ** 2 + (1 - p) * q**2
    if score == "absolute":
        return p * (1 - q) + (1 - p) * q
    raise ValueError(f"score must be 'log', 'squared' or 'absolute', got {score!r}")
